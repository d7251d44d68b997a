//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/libsignal/ecc"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// ScanQR is the phone of that number scanning a companion's QR code.
func (s *Server) ScanQR(number, qr string) error {
	if _, after, found := strings.Cut(qr, "#"); found {
		qr = after
	}
	parts := strings.Split(qr, ",")
	if len(parts) < 4 {
		return errors.New("not a QR code for linking")
	}
	identity, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return fmt.Errorf("read QR code: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil {
		return fmt.Errorf("read QR code: %w", err)
	}
	s.mu.Lock()
	l := s.linking[parts[1]]
	s.mu.Unlock()
	if l == nil {
		return errors.New("no companion shows this QR code")
	}
	return l.link(number, identity, secret)
}

// link tells a companion that the phone of the number takes it: secret is what the phone learnt from the code.
func (l *line) link(number string, identity, secret []byte) error {
	s := l.s
	s.mu.Lock()
	a := s.account(number)
	a.nextID++
	d := &device{owner: a, id: a.nextID, noise: l.static}
	s.mu.Unlock()
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(7), Timestamp: proto.Uint64(uint64(time.Now().Unix())), KeyIndex: proto.Uint32(uint32(d.id)),
	})
	if err != nil {
		return err
	}
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*a.identity.Priv), slices.Concat([]byte{6, 0}, details, identity))
	signed, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentity{Details: details, AccountSignatureKey: a.identity.Pub[:], AccountSignature: signature[:]})
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(signed)
	sealed, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: signed, HMAC: mac.Sum(nil)})
	if err != nil {
		return err
	}
	s.mu.Lock()
	l.linkAs = d
	s.mu.Unlock()
	l.send(node("iq", waBinary.Attrs{"from": types.ServerJID, "type": "set", "id": "link-2", "xmlns": "md", "t": time.Now().Unix()},
		node("pair-success", nil,
			leaf("device-identity", sealed),
			node("device", waBinary.Attrs{"jid": d.jid(), "lid": d.lid()}),
			node("platform", waBinary.Attrs{"name": "android"}),
		)))
	return nil
}

// linked takes the companion's signature, after which it must log in anew.
func (l *line) linked(n *waBinary.Node) {
	s := l.s
	if _, ok := n.GetOptionalChildByTag("pair-device-sign"); !ok {
		return
	}
	s.mu.Lock()
	if l.linkAs == nil {
		s.mu.Unlock()
		return
	}
	l.linkAs.owner.devices = append(l.linkAs.owner.devices, l.linkAs)
	s.wake()
	s.mu.Unlock()
	l.send(node("stream:error", waBinary.Attrs{"code": "515"}))
}

// code is a companion that waits for its code to be typed on a phone.
type code struct {
	line    *line
	ref     []byte
	wrapped []byte        // the companion's ephemeral key, under the code
	theirs  []byte        // the same, once the code was typed
	ours    *keys.KeyPair // the phone's ephemeral key
}

func (l *line) linkByCode(n, child *waBinary.Node) {
	s := l.s
	jid, _ := child.Attrs["jid"].(types.JID)
	switch child.Attrs["stage"] {
	case "companion_hello":
		c := &code{line: l, ref: []byte("ref-" + jid.User)}
		c.wrapped, _ = child.GetChildByTag("link_code_pairing_wrapped_companion_ephemeral_pub").Content.([]byte)
		s.mu.Lock()
		s.codes[jid.User] = c
		s.mu.Unlock()
		l.result(n, node("link_code_companion_reg", nil, leaf("link_code_pairing_ref", c.ref)))
	case "companion_finish":
		s.mu.Lock()
		c, a := s.codes[jid.User], s.account(jid.User)
		s.mu.Unlock()
		l.result(n)
		bundle, _ := child.GetChildByTag("link_code_pairing_wrapped_key_bundle").Content.([]byte)
		if err := c.finish(a, bundle); err != nil {
			s.tb.Logf("the phone of %s does not link: %v", jid.User, err)
		}
	}
}

// TypeCode is the number's phone, on which somebody types the code that a companion shows.
func (s *Server) TypeCode(number, text string) error {
	text = strings.ReplaceAll(text, "-", "")
	s.mu.Lock()
	c, a := s.codes[number], s.account(number)
	s.mu.Unlock()
	if c == nil || len(c.wrapped) != 80 {
		return fmt.Errorf("no companion waits for a code of %s", number)
	}
	var err error
	if c.theirs, err = underCode(text, c.wrapped[:32], c.wrapped[32:48], c.wrapped[48:]); err != nil {
		return err
	}
	c.ours = keys.NewKeyPair()
	wrapped := make([]byte, 48)
	if _, err := rand.Read(wrapped); err != nil {
		return err
	}
	public, err := underCode(text, wrapped[:32], wrapped[32:48], c.ours.Pub[:])
	if err != nil {
		return err
	}
	c.line.send(node("notification", waBinary.Attrs{"from": types.ServerJID, "type": "link_code_companion_reg", "id": "code-1", "t": time.Now().Unix()},
		node("link_code_companion_reg", waBinary.Attrs{"stage": "primary_hello"},
			leaf("link_code_pairing_ref", c.ref),
			leaf("link_code_pairing_wrapped_primary_ephemeral_pub", append(wrapped, public...)),
			leaf("primary_identity_pub", a.identity.Pub[:]),
		)))
	return nil
}

// underCode encrypts and decrypts with the code as the password.
func underCode(text string, salt, iv, data []byte) ([]byte, error) {
	key, err := pbkdf2.Key(sha256.New, text, salt, 2<<16, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data))
	cipher.NewCTR(block, iv).XORKeyStream(out, data)
	return out, nil
}

// finish reads the companion's keys, which only a phone with the right code can.
func (c *code) finish(a *account, bundle []byte) error {
	if c == nil || c.ours == nil || len(bundle) < 44 {
		return errors.New("no code was typed")
	}
	shared, err := x25519(c.ours.Priv[:], c.theirs)
	if err != nil {
		return err
	}
	key, err := hkdf.Key(sha256.New, shared, bundle[:32], "link_code_pairing_key_bundle_encryption_key", 32)
	if err != nil {
		return err
	}
	plain, err := gcm(key).Open(nil, bundle[32:44], bundle[44:], nil)
	if err != nil || len(plain) != 96 {
		return errors.New("it is another code")
	}
	identity, random := plain[:32], plain[64:]
	agreed, err := x25519(a.identity.Priv[:], identity)
	if err != nil {
		return err
	}
	secret, err := hkdf.Key(sha256.New, slices.Concat(shared, agreed, random), nil, "adv_secret", 32)
	if err != nil {
		return err
	}
	return c.line.link(a.number, identity, secret)
}
