package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"parley/commerce"
)

//go:embed static
var static embed.FS

// files are the static files with their fingerprints.
type files map[string]file

type file struct {
	data  []byte
	etag  string // quoted, as in the header
	print string // the first of it, for addresses
	kind  string
}

// loadFiles reads what is embedded. It panics when that cannot be read, which is a bug of the build.
func loadFiles() files {
	all := files{}
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		print := hex.EncodeToString(sum[:6])
		all[name[len("static/"):]] = file{data: data, etag: `"` + print + `"`, print: print, kind: kindOf(name)}
		return nil
	})
	if err != nil {
		panic("read the embedded files: " + err.Error())
	}
	return all
}

// kindOf does not ask the machine, whose tables differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// address of a static file: it changes with the content, so that browsers may keep what they have.
func (f files) address(name string) string {
	file, ok := f[name]
	if !ok {
		panic("a page asks for the file " + name + ", which is not in static")
	}
	return "/static/" + name + "?v=" + file.print
}

func (s *Server) staticFile(w http.ResponseWriter, r *http.Request) error {
	f, ok := s.files[r.PathValue("file")]
	if !ok {
		return commerce.ErrNotFound
	}
	keep := "no-cache"
	switch {
	case r.URL.Query().Get("v") == f.print:
		keep = "public, max-age=31536000, immutable"
	case f.kind == "image/png":
		keep = "public, max-age=3600"
	}
	s.serveFile(w, r, f, keep)
	return nil
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, f file, keep string) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", keep)
	w.Header().Set("ETag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}
