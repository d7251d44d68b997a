package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"parley/adapters"
)

const (
	pictureLimit = 10 << 20 // bytes; Telegram's own for a photo
	pictureTime  = 10 * time.Second

	// A picture that was uploaded is sent again by Telegram's id for as long: it may change at its address.
	uploadKept    = 10 * time.Minute
	uploadsInMind = 256
)

// pictureKinds are the kinds of picture that Telegram shows.
var pictureKinds = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// sendPhoto sends a picture with its words: by its address where Telegram can fetch that, else uploaded.
func (m *Messenger) sendPhoto(ctx context.Context, chat int64, part adapters.Part, keyboard any) (adapters.Sent, error) {
	show := func(file tgbotapi.RequestFileData) (json.RawMessage, error) {
		return m.post(ctx, part.Chat, chat, func(chat int64) tgbotapi.Chattable {
			photo := tgbotapi.NewPhoto(chat, file)
			photo.Caption, photo.ReplyMarkup = part.Text, keyboard
			return photo
		})
	}
	if fetchable(part.Image) {
		result, err := show(tgbotapi.FileURL(part.Image))
		if err == nil || !notFetched(err) {
			return sentAs(result), err
		}
		m.log.DebugContext(ctx, "telegram cannot fetch a picture, it is uploaded", "image", part.Image, "problem", err)
	}
	if id := m.uploads.id(part.Image, m.now()); id != "" {
		if result, err := show(tgbotapi.FileID(id)); err == nil || !pictureRefused(err) {
			return sentAs(result), err
		}
	}
	data, kind, err := m.fetch(ctx, part.Image)
	if err != nil {
		return adapters.Sent{}, &adapters.SendError{Consequence: adapters.Rejected, Code: "picture", Reason: "the picture cannot be had: " + err.Error(), Err: err}
	}
	result, err := show(tgbotapi.FileBytes{Name: "picture." + path.Base(kind), Bytes: data})
	if err != nil {
		return adapters.Sent{}, err
	}
	m.uploads.keep(part.Image, result, m.now())
	return sentAs(result), nil
}

// notFetched says that Telegram could not load a picture from its address, or made nothing of what was there.
func notFetched(err error) bool {
	refusal, ok := errors.AsType[*adapters.SendError](err)
	if !ok || refusal.Consequence != adapters.Rejected {
		return false
	}
	said := strings.ToLower(refusal.Reason)
	return slices.ContainsFunc([]string{"http url", "web page content", "webpage_", "wrong remote file"}, func(words string) bool { return strings.Contains(said, words) })
}

// fetch loads a picture of the shop's, from where its address leads and no further.
func (m *Messenger) fetch(ctx context.Context, address string) (data []byte, kind string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, "", errors.New("it has no address on the web")
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := m.api.http.Do(req) // which follows no redirects
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, "", errors.New(resp.Status)
	}
	data, err = io.ReadAll(io.LimitReader(resp.Body, pictureLimit+1))
	switch {
	case err != nil:
		return nil, "", err
	case len(data) > pictureLimit:
		return nil, "", fmt.Errorf("it is larger than %d MB", pictureLimit>>20)
	}
	if kind = http.DetectContentType(data); !slices.Contains(pictureKinds, kind) {
		return nil, "", fmt.Errorf("it is no picture that Telegram shows, but %s", kind)
	}
	return data, kind, nil
}

// fetchable says that Telegram's servers can load the picture: it is at a public address, not one of this machine or house.
func fetchable(image string) bool {
	u, err := url.Parse(image)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost") && !strings.HasSuffix(host, ".local")
}

// pictureRefused says that Telegram took offence at the picture, not at the chat.
func pictureRefused(err error) bool {
	refusal, ok := errors.AsType[*adapters.SendError](err)
	return ok && refusal.Consequence == adapters.Rejected
}

// uploads are Telegram's ids of the pictures that it was sent, by their addresses: an alert to a thousand people uploads one once.
type uploads struct {
	mu    sync.Mutex
	known map[string]upload
}

type upload struct {
	id    string
	until time.Time
}

func (u *uploads) id(image string, now time.Time) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if known := u.known[image]; now.Before(known.until) {
		return known.id
	}
	return ""
}

// keep remembers the picture of a message that was sent.
func (u *uploads) keep(image string, sent json.RawMessage, now time.Time) {
	var msg struct {
		Photo []struct {
			ID string `json:"file_id"`
		} `json:"photo"`
	}
	if err := decode(sent, &msg); err != nil || len(msg.Photo) == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known == nil || len(u.known) >= uploadsInMind {
		u.known = map[string]upload{}
	}
	u.known[image] = upload{msg.Photo[len(msg.Photo)-1].ID, now.Add(uploadKept)} // the largest of its sizes
}
