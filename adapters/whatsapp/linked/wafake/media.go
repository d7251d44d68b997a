//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

const mediaAuth = "media-auth"

// upload keeps an encrypted file.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("auth") != mediaAuth {
		http.Error(w, "wrong auth", http.StatusUnauthorized)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.next++
	id := fmt.Sprint("file", s.next)
	s.media[id] = data
	s.mu.Unlock()
	path := "/media?id=" + id
	_ = json.NewEncoder(w).Encode(map[string]string{"url": "https://media.whatsapp.example" + path, "direct_path": path, "handle": id})
}

// download hands one out.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, ok := s.media[r.URL.Query().Get("id")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(data)
}
