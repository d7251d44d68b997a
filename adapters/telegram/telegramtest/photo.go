package telegramtest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// photoLimit is the largest photo that may be uploaded.
const photoLimit = 10 << 20

// formLimit is how much of a form is kept in memory.
const formLimit = 20 << 20

// parse reads the parameters of a call, with the files that a form in several parts brings.
func parse(r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return r.ParseMultipartForm(formLimit)
	}
	return r.ParseForm()
}

// photo reads which photo is sent: by its address, by the id of one that was sent before, or the photo itself.
func (s *Server) photo(r *http.Request, msg *Message) *failure {
	named := r.Form.Get("photo")
	if r.MultipartForm != nil && len(r.MultipartForm.File) > 0 {
		return s.uploaded(r, msg)
	}
	if u, err := url.Parse(named); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		msg.Image = named
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	file, known := s.files[named]
	if !known {
		return bad("wrong remote file identifier specified: can't unserialize it")
	}
	msg.Image, msg.Upload = named, file
	return nil
}

func (s *Server) uploaded(r *http.Request, msg *Message) *failure {
	files := r.MultipartForm.File["photo"]
	if len(files) != 1 || len(r.MultipartForm.File) != 1 {
		return bad("there is no photo in the request")
	}
	f, err := files[0].Open()
	if err != nil {
		return bad("the photo did not arrive")
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(f)
	switch {
	case err != nil:
		return bad("the photo did not arrive")
	case len(data) > photoLimit:
		return &failure{code: http.StatusRequestEntityTooLarge, description: "Request Entity Too Large"}
	case !slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp"}, http.DetectContentType(data)):
		return bad("IMAGE_PROCESS_FAILED")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	msg.Image, msg.Upload = fmt.Sprintf("file-%d", s.next("file")), data
	s.files[msg.Image] = data
	return nil
}
