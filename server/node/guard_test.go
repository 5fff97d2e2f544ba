package node

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/nowserving/nowserving/hub/wire"
	"github.com/nowserving/nowserving/server/chatapi"
	"github.com/nowserving/nowserving/server/testkit"
)

// eicar is the harmless text that every scanner calls a virus, in two parts so
// that none finds it here.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// clamd is a daemon that knows one virus, until stop.
func clamd(t *testing.T) (scanner chatapi.Clamd, stop func()) {
	t.Helper()
	at, stop := testkit.Serve(t, "tcp", "127.0.0.1:0", verdict)
	return chatapi.Clamd{Network: "tcp", Addr: at}, stop
}

// verdict reads one stream and answers it.
func verdict(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	if head, err := in.ReadString(0); err != nil || head != "zINSTREAM\x00" {
		return
	}
	var content bytes.Buffer
	for {
		var n uint32
		if err := binary.Read(in, binary.BigEndian, &n); err != nil {
			return
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&content, in, int64(n)); err != nil {
			return
		}
	}
	says := "stream: OK\x00"
	if bytes.Contains(content.Bytes(), []byte(eicar)) {
		says = "stream: Eicar-Test-Signature FOUND\x00"
	}
	_, _ = io.WriteString(c, says)
}

// Every door that takes files has them looked at, and takes none while nobody can.
func TestUploadsAreScanned(t *testing.T) {
	o := options(t, t.TempDir())
	daemon, stop := clamd(t)
	o.Scanner = daemon
	o.Log = zerolog.Nop() // what it warns of is what is tested
	w := start(t, o)
	w.signIn(w.demo.Users[0].Email, w.demo.Users[0].Password)
	id, token := w.write(map[string]any{"text": "Hello"})
	visitor, staff := "/hub/v1/visit/files", "/hub/v1/tickets/"+id+"/files"
	for path, token := range map[string]string{visitor: token, staff: w.demo.StaffToken} {
		if status, out := w.put(path, token, "letter.txt", "hello"); status != 201 || text(out, "state") != "passed" {
			t.Errorf("%s, clean: %d %v", path, status, out)
		}
		status, out := w.put(path, token, "virus.txt", eicar)
		if status != 201 || text(out, "state") != "blocked" {
			t.Errorf("%s, harmful: %d %v", path, status, out)
		}
		file := text(out, "file")
		if status, _, _ := w.get(path+"/"+file, token); status != 404 {
			t.Errorf("%s: somebody got a virus: %d", path, status)
		}
		_, err := w.dial(token, newEars()).Do(t.Context(), wire.Command{
			Name: "message.send", Params: []byte(`{"ticket":"` + id + `","text":"x","files":["` + file + `"]}`),
		})
		if err == nil || wire.AsError(err).Field != "files" {
			t.Errorf("%s: a virus was sent: %v", path, err)
		}
	}
	if status := w.upload("hello"); status != 200 {
		t.Errorf("conversation API, clean: %d", status)
	}
	if status, code := w.medium(nil); status != 201 {
		t.Errorf("medium, clean: %d %s", status, code)
	}
	if status, code := w.medium([]byte(eicar)); status != 400 || code != "bad_request body" {
		t.Errorf("medium, harmful: %d %s", status, code)
	}
	stop()
	kept := w.files()
	for path, token := range map[string]string{visitor: token, staff: w.demo.StaffToken} {
		if status, out := w.put(path, token, "letter.txt", "hello"); status != 503 || fault(out) != "unavailable" {
			t.Errorf("%s, nobody looks: %d %v", path, status, out)
		}
	}
	if status := w.upload("hello"); status != 503 {
		t.Errorf("conversation API, nobody looks: %d", status)
	}
	if status, code := w.medium([]byte("another")); status != 503 || code != "unavailable" {
		t.Errorf("medium, nobody looks: %d %s", status, code)
	}
	if now := w.files(); now != kept {
		t.Errorf("what was refused is on the disk: %s, before %s", now, kept)
	}
}

// upload sends a file through the conversation API.
func (w *world) upload(content string) int {
	w.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "letter.txt")
	if err != nil {
		w.t.Fatal(err)
	}
	_, _ = io.WriteString(part, content)
	_ = form.Close()
	_, out := w.ask("POST", chatapi.Prefix+"token/get", map[string]string{
		"apiKey": w.demo.ChatAPIKey, "apiSecret": w.demo.ChatAPISecret, "userName": w.demo.ChatUserName,
	})
	token, _ := out["access_token"].(string)
	status, _ := w.post(chatapi.Prefix+"files/upload", &body, "Content-Type", form.FormDataContentType(), "Authorization", "Bearer "+token)
	return status
}

// medium sends a picture for the screens, with something behind it.
func (w *world) medium(tail []byte) (int, string) {
	w.t.Helper()
	var body bytes.Buffer
	if err := png.Encode(&body, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		w.t.Fatal(err)
	}
	body.Write(tail)
	status, answer := w.post("/hub/v1/locations/1/media", &body, "X-Nowserving", "1")
	out := map[string]any{}
	if err := json.Unmarshal(answer, &out); err != nil {
		w.t.Fatal(err)
	}
	return status, fault(out)
}

// post sends bytes.
func (w *world) post(path string, body io.Reader, headers ...string) (int, []byte) {
	w.t.Helper()
	resp, answer := w.exchange("POST", path, body, headers...)
	return resp.StatusCode, answer
}

// files names what the node keeps of uploads.
func (w *world) files() string {
	var names []string
	for _, folder := range []string{filesFolder, "media/1"} {
		entries, err := os.ReadDir(filepath.Join(w.node.o.Data, folder))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	return fmt.Sprint(names)
}

// The numbers are for this machine, or for who has the token, which no log holds.
func TestMetricsFromElsewhere(t *testing.T) {
	var log bytes.Buffer
	const secret = "a-secret-of-nobody"
	for token, want := range map[string]struct{ here, elsewhere, bearer int }{"": {200, 403, 403}, secret: {401, 401, 200}} {
		o := options(t, t.TempDir())
		o.MetricsToken = token
		o.Log = zerolog.New(zerolog.SyncWriter(&log)).Level(zerolog.TraceLevel)
		w := start(t, o)
		ask := func(from string, header ...string) int {
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = from
			for i := 0; i+1 < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			rec := httptest.NewRecorder()
			w.node.server.Handler.ServeHTTP(rec, r)
			if (rec.Code == 200) != bytes.Contains(rec.Body.Bytes(), []byte("nowserving_sockets")) {
				t.Errorf("%d with %.80s", rec.Code, rec.Body)
			}
			return rec.Code
		}
		resp, err := w.http.Get(w.node.URL() + "/metrics") // over a real connection
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want.here {
			t.Errorf("%q, here: %d", token, resp.StatusCode)
		}
		if got := ask("192.0.2.1:5"); got != want.elsewhere {
			t.Errorf("%q, elsewhere: %d", token, got)
		}
		if got := ask("127.0.0.1:5", "X-Forwarded-For", "127.0.0.1"); got != want.elsewhere {
			t.Errorf("%q, by a proxy: %d", token, got)
		}
		if got := ask("192.0.2.1:5", "Authorization", "Bearer "+secret); got != want.bearer {
			t.Errorf("%q, with the token: %d", token, got)
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(log.Bytes(), []byte("/metrics")) || bytes.Contains(log.Bytes(), []byte(secret)) {
		t.Error("the log does not tell of the requests, or tells the secret")
	}
}
