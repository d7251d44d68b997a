package web

import (
	"net/http"
	"strings"
)

// previewers fetch links that people post, for a card or a scan. Those that run a whole browser hide; see suspect.
var previewers = []string{
	"facebookexternalhit", "Facebot", "WhatsApp/", "Slackbot", "Slack-ImgProxy", "Twitterbot", "TelegramBot", "Discordbot", "LinkedInBot",
	"SkypeUriPreview", "BingPreview", "GoogleImageProxy", "Googlebot", "Applebot", "bingbot", "Viber", "redditbot", "Pinterestbot", "Embedly",
}

// suspect says why a post to a buy link may not be a person's press of our button; status 0 says that nothing speaks
// against it. The form is parsed already. A scanner in a full browser looks like a person when it opens the page, but not when it submits the form: a
// submit by script carries no Sec-Fetch-User. Safari never sends that header; there our own script notes in the field
// "pressed" whether a real press came before. Without JavaScript nothing can submit by itself, and the field stays empty.
func (s *Server) suspect(r *http.Request) (status int, why string) {
	h := r.Header
	site, origin := h.Get("Sec-Fetch-Site"), strings.ToLower(h.Get("Origin"))
	switch {
	case site != "" && site != "same-origin":
		return http.StatusForbidden, "from another site"
	case site == "" && origin != "" && !isOwn(origin, r.Host) && origin != originOf(s.opt.PublicURL):
		return http.StatusForbidden, "from another origin"
	case isAhead(h):
		return http.StatusConflict, "fetched ahead"
	case isPreviewer(r.UserAgent()):
		return http.StatusConflict, "a previewer"
	}
	if site == "" {
		return 0, ""
	}
	if mode := h.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return http.StatusConflict, "not a navigation"
	}
	pressed := r.PostForm.Get("pressed")
	switch {
	case pressed == "no":
		return http.StatusConflict, "submitted without a press"
	case h.Get("Sec-Fetch-User") != "?1" && !isWebKit(r.UserAgent()):
		return http.StatusConflict, "submitted by script"
	}
	return 0, ""
}

func isAhead(h http.Header) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		v := strings.ToLower(h.Get(name))
		if strings.Contains(v, "prefetch") || strings.Contains(v, "prerender") || strings.Contains(v, "preview") {
			return true
		}
	}
	return false
}

func isPreviewer(agent string) bool {
	for _, name := range previewers {
		if strings.Contains(agent, name) {
			return true
		}
	}
	return false
}
