package web

import "net/http"

type chatView struct {
	Page PageView
	// Back is the form of the product that the visitor came from; "" when they came from nowhere.
	Back string
}

// chatPage is the web chat. The socket knows its visitor by the cookie alone, so that is made here.
func (s *Server) chatPage(w http.ResponseWriter, r *http.Request) error {
	if s.opt.ChatSocket == nil {
		return unavailable()
	}
	if _, err := s.greet(w, r); err != nil {
		return err
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	w.Header().Set("Cache-Control", "no-store")
	view := chatView{Page: s.page(r, s.wordsFor(r).say("chat.title"))}
	if sku := r.URL.Query().Get("sku"); sku != "" {
		view.Back = carry("/widget/frame", r, wish{SKU: sku, External: externalOf(r.URL.Query(), "")})
	}
	return s.render(w, http.StatusOK, "chat.html", view)
}

func (s *Server) chatSocket(w http.ResponseWriter, r *http.Request) error {
	if s.opt.ChatSocket == nil {
		return unavailable()
	}
	s.opt.ChatSocket.ServeHTTP(w, r)
	return nil
}
