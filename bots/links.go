package bots

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"parley/commerce"
	"parley/store"
)

// LinkKeys sign the tokens of links. New ones are signed with Current; older keys still verify.
type LinkKeys struct {
	Current byte
	Keys    map[byte][]byte // by number; each of 32 bytes
}

// Why a link's token is refused.
var (
	ErrLinkForged  = errors.New("the link is not one of ours")
	ErrLinkExpired = errors.New("the link has expired")
)

// A token is version, purpose, key number, merchant (4 bytes), expiry (4 bytes), 128 bits of the id it is about, and the first
// 16 bytes of their HMAC-SHA256: 43 bytes, 58 characters of base64url. Nothing in it is a price: that stands in the row.
const (
	tokenVersion = 1
	tokenBody    = 3 + 4 + 4 + 16
	tokenBytes   = tokenBody + 16
)

const purposeBuy byte = 'b'

func (k LinkKeys) sign(purpose byte, merchant commerce.MerchantID, id [16]byte, expires time.Time) string {
	b := make([]byte, 0, tokenBytes+16)
	b = append(b, tokenVersion, purpose, k.Current)
	b = binary.BigEndian.AppendUint32(b, uint32(merchant))
	b = binary.BigEndian.AppendUint32(b, uint32(expires.Unix()))
	b = append(b, id[:]...)
	b = append(b, k.mac(k.Current, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (k LinkKeys) mac(key byte, body []byte) []byte {
	m := hmac.New(sha256.New, k.Keys[key])
	m.Write(body)
	return m.Sum(nil)[:16]
}

// verify says which merchant and id a token is about. An expired one of ours still says so, beside ErrLinkExpired.
func (k LinkKeys) verify(purpose byte, token string, now time.Time) (commerce.MerchantID, [16]byte, error) {
	var id [16]byte
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != tokenBytes || b[0] != tokenVersion || b[1] != purpose || k.Keys[b[2]] == nil {
		return 0, id, ErrLinkForged
	}
	if subtle.ConstantTimeCompare(k.mac(b[2], b[:tokenBody]), b[tokenBody:]) != 1 {
		return 0, id, ErrLinkForged
	}
	merchant := commerce.MerchantID(binary.BigEndian.Uint32(b[3:]))
	copy(id[:], b[11:])
	if int64(binary.BigEndian.Uint32(b[7:])) < now.Unix() {
		return merchant, id, ErrLinkExpired
	}
	return merchant, id, nil
}

// buyLink is the address of a quote's page.
func (h *House) buyLink(q commerce.Quote) string {
	bits, ok := store.ParseID(string(q.ID))
	if !ok {
		return ""
	}
	return h.publicURL() + "/b/" + h.keys.sign(purposeBuy, q.Merchant, bits, q.Expires)
}
