package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

var (
	reference = regexp.MustCompile(`(?:<link|<script|<img|<source)[^>]*\s(?:src|href)="([^"]*)"`)
	hashed    = regexp.MustCompile(`^/assets/[a-z]+-[0-9a-f]{12}\.(js|css)$`)
	inline    = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:>|\s[^>]*>)[^<]|<script(?: [^>]*)?>\s*</script>`)
)

// The pages run under a content security policy without inline code, and their
// assets are cached for ever, so every name must carry a hash and exist.
func TestPagesReferToEmbeddedAssets(t *testing.T) {
	if _, err := fs.Stat(FS(), "assets"); err != nil {
		t.Skip("the pages are not built: npm run build")
	}
	for _, page := range []string{"board.html", "console.html", "admin.html", "visitor.html", "kiosk.html", "join.html"} {
		html, err := fs.ReadFile(FS(), page)
		if err != nil {
			t.Errorf("read %s: %v", page, err)
			continue
		}
		found := 0
		for _, m := range reference.FindAllStringSubmatch(string(html), -1) {
			if m[1] == "data:," {
				continue
			}
			found++
			if !hashed.MatchString(m[1]) {
				t.Errorf("%s refers to %q, want a hashed asset", page, m[1])
			}
			if _, err := fs.Stat(FS(), strings.TrimPrefix(m[1], "/")+".gz"); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
		if found < 2 {
			t.Errorf("%s refers to %d assets, want a script and a style sheet", page, found)
		}
		for _, m := range inline.FindAllString(string(html), -1) {
			if !strings.Contains(m, "src=") {
				t.Errorf("%s has inline code: %q", page, m)
			}
		}
	}
}
