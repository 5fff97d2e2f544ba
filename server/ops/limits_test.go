package ops

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A client that is still sending what is too large reads why it was refused, and no
// broken connection: whether it says how long its body is or not, and whether it
// looks for the answer while it sends or only afterwards.
func TestTooLargeIsReadable(t *testing.T) {
	const most, size = 1 << 20, 20 << 20
	server := httptest.NewServer(Limits(most, WriteError, time.Now, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			WriteError(w, r, err)
		}
	})))
	defer server.Close()
	for range 10 {
		for name, body := range map[string]io.Reader{
			"length": strings.NewReader(strings.Repeat("x", size)),
			"chunks": io.LimitReader(endless{}, size),
		} {
			res, err := http.Post(server.URL, "text/plain", body)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			answer, err := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusRequestEntityTooLarge || err != nil || !strings.Contains(string(answer), "too_large") {
				t.Errorf("%s: %s %q %v", name, res.Status, answer, err)
			}
			_ = res.Body.Close()
		}
	}
	for _, head := range []string{
		fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size),
		fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", size),
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(conn, io.MultiReader(strings.NewReader(head), io.LimitReader(endless{}, size))); err != nil {
			t.Errorf("it was cut off while sending: %v", err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%v %v", res, err)
		}
		_ = conn.Close()
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
