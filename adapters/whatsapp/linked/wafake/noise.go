//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coder/websocket"
	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// noise is the responder's side of Noise_XX_25519_AESGCM_SHA256.
type noise struct {
	hash, chain []byte
	key         cipher.AEAD
	counter     uint32
}

func newNoise(prologue []byte) *noise {
	name := []byte("Noise_XX_25519_AESGCM_SHA256\x00\x00\x00\x00")
	n := &noise{hash: name, chain: name, key: gcm(name)}
	n.mix(prologue)
	return n
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only for a key of the wrong length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func nonce(counter uint32) []byte {
	iv := make([]byte, 12)
	binary.BigEndian.PutUint32(iv[8:], counter)
	return iv
}

func (n *noise) mix(data []byte) {
	sum := sha256.Sum256(slices.Concat(n.hash, data))
	n.hash = sum[:]
}

// split derives two keys from the chain and what is mixed in.
func (n *noise) split(secret []byte) (first, second []byte, err error) {
	out, err := hkdf.Key(sha256.New, secret, n.chain, "", 64)
	if err != nil {
		return nil, nil, fmt.Errorf("derive keys: %w", err)
	}
	return out[:32], out[32:], nil
}

func (n *noise) agree(private, public []byte) error {
	shared, err := x25519(private, public)
	if err != nil {
		return err
	}
	chain, key, err := n.split(shared)
	if err != nil {
		return err
	}
	n.chain, n.key, n.counter = chain, gcm(key), 0
	return nil
}

func x25519(private, public []byte) ([]byte, error) {
	priv, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("read private key: %w", err)
	}
	pub, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	return priv.ECDH(pub)
}

func (n *noise) seal(plain []byte) []byte {
	out := n.key.Seal(nil, nonce(n.counter), plain, n.hash)
	n.counter++
	n.mix(out)
	return out
}

func (n *noise) open(sealed []byte) ([]byte, error) {
	plain, err := n.key.Open(nil, nonce(n.counter), sealed, n.hash)
	if err != nil {
		return nil, err
	}
	n.counter++
	n.mix(sealed)
	return plain, nil
}

// frames cuts the stream of a socket into frames, each behind three bytes of length.
type frames struct {
	ws  *websocket.Conn
	buf []byte
}

func (f *frames) fill(ctx context.Context) error {
	_, data, err := f.ws.Read(ctx)
	f.buf = append(f.buf, data...)
	return err
}

func (f *frames) next(ctx context.Context) ([]byte, error) {
	for {
		if len(f.buf) >= 3 {
			end := 3 + (int(f.buf[0])<<16 | int(f.buf[1])<<8 | int(f.buf[2]))
			if len(f.buf) >= end {
				frame := slices.Clone(f.buf[3:end])
				f.buf = f.buf[end:]
				return frame, nil
			}
		}
		if err := f.fill(ctx); err != nil {
			return nil, err
		}
	}
}

// header reads what a client says before its first frame, with the routing hint that may come before it.
func (f *frames) header(ctx context.Context) ([]byte, error) {
	for len(f.buf) < 7 {
		if err := f.fill(ctx); err != nil {
			return nil, err
		}
	}
	if string(f.buf[:2]) == "ED" {
		f.buf = f.buf[7+(int(f.buf[4])<<16|int(f.buf[5])<<8|int(f.buf[6])):]
	}
	if len(f.buf) < 4 || string(f.buf[:3]) != "WA\x06" {
		return nil, errors.New("a client of another protocol")
	}
	header := slices.Clone(f.buf[:4])
	f.buf = f.buf[4:]
	return header, nil
}

func writeFrame(ctx context.Context, ws *websocket.Conn, data []byte) error {
	return ws.Write(ctx, websocket.MessageBinary, append([]byte{byte(len(data) >> 16), byte(len(data) >> 8), byte(len(data))}, data...))
}

// handshake proves the server to the client and leaves the line with its keys, the client's static key and its payload.
func (l *line) handshake(ctx context.Context) error {
	header, err := l.in.header(ctx)
	if err != nil {
		return err
	}
	n := newNoise(header)
	hello, err := l.shake(ctx)
	if err != nil {
		return err
	}
	theirs := hello.GetClientHello().GetEphemeral()
	n.mix(theirs)
	ours := keys.NewKeyPair()
	n.mix(ours.Pub[:])
	if err := n.agree(ours.Priv[:], theirs); err != nil {
		return err
	}
	static := n.seal(l.s.static.Pub[:])
	if err := n.agree(l.s.static.Priv[:], theirs); err != nil {
		return err
	}
	answer, err := proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: ours.Pub[:], Static: static, Payload: n.seal(l.s.certificate),
	}})
	if err != nil {
		return err
	}
	if err := writeFrame(ctx, l.in.ws, answer); err != nil {
		return err
	}
	finish, err := l.shake(ctx)
	if err != nil {
		return err
	}
	if l.static, err = n.open(finish.GetClientFinish().GetStatic()); err != nil {
		return fmt.Errorf("read the client's key: %w", err)
	}
	if err := n.agree(ours.Priv[:], l.static); err != nil {
		return err
	}
	payload, err := n.open(finish.GetClientFinish().GetPayload())
	if err != nil {
		return fmt.Errorf("read the client's payload: %w", err)
	}
	if err := proto.Unmarshal(payload, &l.payload); err != nil {
		return fmt.Errorf("read the client's payload: %w", err)
	}
	read, write, err := n.split([]byte{})
	if err != nil {
		return err
	}
	l.readKey, l.writeKey = gcm(read), gcm(write)
	return nil
}

func (l *line) shake(ctx context.Context) (*waWa6.HandshakeMessage, error) {
	frame, err := l.in.next(ctx)
	if err != nil {
		return nil, err
	}
	var msg waWa6.HandshakeMessage
	if err := proto.Unmarshal(frame, &msg); err != nil {
		return nil, fmt.Errorf("read handshake: %w", err)
	}
	return &msg, nil
}

// certify makes the chain by which a client that trusts root trusts a server with the static key.
func certify(root, static *keys.KeyPair) ([]byte, error) {
	between := keys.NewKeyPair()
	from, to := proto.Uint64(uint64(time.Now().Add(-time.Hour).Unix())), proto.Uint64(uint64(time.Now().Add(24*time.Hour).Unix()))
	sign := func(by *keys.KeyPair, details *waCert.CertChain_NoiseCertificate_Details) (*waCert.CertChain_NoiseCertificate, error) {
		details.NotBefore, details.NotAfter = from, to
		raw, err := proto.Marshal(details)
		if err != nil {
			return nil, err
		}
		signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*by.Priv), raw)
		return &waCert.CertChain_NoiseCertificate{Details: raw, Signature: signature[:]}, nil
	}
	intermediate, err := sign(root, &waCert.CertChain_NoiseCertificate_Details{Serial: proto.Uint32(1), IssuerSerial: proto.Uint32(0), Key: between.Pub[:]})
	if err != nil {
		return nil, err
	}
	leaf, err := sign(between, &waCert.CertChain_NoiseCertificate_Details{Serial: proto.Uint32(2), IssuerSerial: proto.Uint32(1), Key: static.Pub[:]})
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&waCert.CertChain{Intermediate: intermediate, Leaf: leaf})
}
