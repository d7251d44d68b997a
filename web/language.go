package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// language of the answer: ?lang= or the form's lang, else the browser's best of the shop's languages, else its first.
func (s *Server) language(r *http.Request) string {
	ours := s.opt.Shop.Languages
	asked := r.URL.Query().Get("lang")
	if asked == "" && r.PostForm != nil {
		asked = r.PostForm.Get("lang")
	}
	if lang := short(asked); slices.Contains(ours, lang) && s.words[lang] != nil {
		return lang
	}
	best, quality := "", 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, params, _ := strings.Cut(part, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				q = f
			}
		}
		if lang := short(tag); q > quality && slices.Contains(ours, lang) && s.words[lang] != nil {
			best, quality = lang, q
		}
	}
	if best != "" {
		return best
	}
	if s.words[ours[0]] != nil {
		return ours[0]
	}
	return "en"
}

// short is the language of a tag without its region: de of de-AT.
func short(tag string) string {
	lang, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	return lang
}

func (s *Server) wordsFor(r *http.Request) dictionary { return s.words[s.language(r)] }
