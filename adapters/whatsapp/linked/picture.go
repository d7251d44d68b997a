//go:build whatsmeow && !nowhatsmeow

package linked

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // what phones show
	_ "image/png"  // likewise
	"io"
	"net/http"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"parley/adapters"
)

const (
	pictureLimit = 5 << 20
	pictureTime  = 15 * time.Second
)

// picture fetches the part's picture and gives it, encrypted, to WhatsApp's media servers.
func (m *Messenger) picture(ctx context.Context, client *whatsmeow.Client, part adapters.Part) (*waE2E.ImageMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	data, err := m.fetch(ctx, part.Image)
	if err != nil {
		return nil, fmt.Errorf("fetch it: %w", err)
	}
	shape, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	stored, err := client.Upload(ctx, data, whatsmeow.MediaImage)
	if err != nil {
		return nil, fmt.Errorf("upload it: %w", err)
	}
	msg := &waE2E.ImageMessage{
		Mimetype: proto.String("image/" + format), Width: proto.Uint32(uint32(shape.Width)), Height: proto.Uint32(uint32(shape.Height)),
		URL: &stored.URL, DirectPath: &stored.DirectPath, MediaKey: stored.MediaKey,
		FileEncSHA256: stored.FileEncSHA256, FileSHA256: stored.FileSHA256, FileLength: &stored.FileLength,
	}
	if part.Text != "" {
		msg.Caption = proto.String(part.Text)
	}
	return msg, nil
}

func (m *Messenger) fetch(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := m.web.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, pictureLimit+1))
	if err == nil && len(data) > pictureLimit {
		err = fmt.Errorf("it is larger than %d MB", pictureLimit>>20)
	}
	return data, err
}
