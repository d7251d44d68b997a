package web

import (
	_ "embed"
	"net/http"
)

// openAPIDocument describes every route of apiRoutes; a test compares the two.
//
//go:embed openapi.json
var openAPIDocument []byte

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*") // the document is public; tools in a browser may read it
	_, _ = w.Write(openAPIDocument)
	return nil
}
