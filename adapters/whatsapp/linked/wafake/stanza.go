//go:build whatsmeow && !nowhatsmeow

package wafake

import (
	"fmt"
	"maps"
	"strings"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// handle does what a client asks.
func (l *line) handle(n *waBinary.Node) {
	if n.Tag == "iq" {
		l.query(n)
		return
	}
	if l.dev == nil {
		return
	}
	id, _ := n.Attrs["id"].(string)
	to, _ := n.Attrs["to"].(types.JID)
	switch n.Tag {
	case "message":
		l.message(n, id, to)
	case "receipt":
		l.receipt(n, id, to)
	case "ack":
		class, _ := n.Attrs["class"].(string)
		l.acknowledged(class, id)
	case "chatstate":
		s := l.s
		s.mu.Lock()
		target := s.find(to)
		var there *line
		if target != nil {
			there = target.line
		}
		s.mu.Unlock()
		if there != nil {
			there.send(node("chatstate", waBinary.Attrs{"from": l.dev.lid().ToNonAD()}, n.GetChildren()...))
		}
	}
}

// message relays each device's own ciphertext and says that it has the message.
func (l *line) message(n *waBinary.Node, id string, to types.JID) {
	s := l.s
	s.mu.Lock()
	a := l.dev.owner
	cut, answer := a.cut, a.answer
	a.cut, a.answer = false, 0
	if answer == 0 {
		l.relay(n, id, to)
	}
	s.away = s.away || cut && a.leave
	s.wake()
	s.mu.Unlock()
	if cut {
		l.hangUp()
		return
	}
	ack := waBinary.Attrs{"class": "message", "id": id, "from": to, "t": time.Now().Unix()}
	if answer != 0 {
		ack["error"] = answer
	}
	l.send(node("ack", ack))
}

// relay queues a message for the devices that it is encrypted for; the caller holds mu.
func (l *line) relay(n *waBinary.Node, id string, to types.JID) {
	base := waBinary.Attrs{"id": id, "type": n.Attrs["type"], "t": time.Now().Unix(), "notify": l.dev.owner.name}
	if edit, ok := n.Attrs["edit"]; ok {
		base["edit"] = edit
	}
	var extra []waBinary.Node
	if identity, ok := n.GetOptionalChildByTag("device-identity"); ok {
		extra = append(extra, identity)
	}
	put := func(jid types.JID, enc waBinary.Node) {
		target := l.s.find(jid)
		if target == nil || target == l.dev {
			return
		}
		attrs := maps.Clone(base)
		if jid.Server == types.HiddenUserServer {
			attrs["from"], attrs["sender_pn"], attrs["addressing_mode"] = l.dev.lid(), l.dev.jid().ToNonAD(), "lid"
		} else {
			attrs["from"], attrs["sender_lid"], attrs["addressing_mode"] = l.dev.jid(), l.dev.lid().ToNonAD(), "pn"
		}
		if target.owner == l.dev.owner { // a copy for the sender's own devices
			attrs["recipient"] = to
			if pn, ok := n.Attrs["peer_recipient_pn"]; ok {
				attrs["peer_recipient_pn"] = pn
			}
		}
		target.put(waBinary.Node{Tag: "message", Attrs: attrs, Content: append([]waBinary.Node{enc}, extra...)})
	}
	if list, ok := n.GetOptionalChildByTag("participants"); ok {
		for _, p := range list.GetChildren() {
			jid, _ := p.Attrs["jid"].(types.JID)
			if enc, ok := p.GetOptionalChildByTag("enc"); ok {
				put(jid, enc)
			}
		}
	} else if enc, ok := n.GetOptionalChildByTag("enc"); ok {
		put(to, enc)
	}
}

// receipt takes a receipt, which acknowledges the message as well, and hands it to all devices of its sender.
func (l *line) receipt(n *waBinary.Node, id string, to types.JID) {
	ack := waBinary.Attrs{"class": "receipt", "id": id, "from": to}
	kind, typed := n.Attrs["type"]
	if typed {
		ack["type"] = kind
	}
	l.send(node("ack", ack))
	if kind != "retry" {
		l.acknowledged("message", id)
	}
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.owner(to)
	if a == nil || a == l.dev.owner || kind == "read-self" {
		return
	}
	for _, target := range a.devices {
		attrs := waBinary.Attrs{"id": id, "t": time.Now().Unix(), "from": l.dev.jid()}
		if to.Server == types.HiddenUserServer {
			attrs["from"], attrs["sender_pn"] = l.dev.lid(), l.dev.jid().ToNonAD()
		}
		if typed {
			attrs["type"] = kind
		}
		target.put(waBinary.Node{Tag: "receipt", Attrs: attrs, Content: n.GetChildren()})
	}
	s.wake()
}

func (l *line) result(n *waBinary.Node, content ...waBinary.Node) {
	l.send(node("iq", waBinary.Attrs{"from": types.ServerJID, "type": "result", "id": n.Attrs["id"]}, content...))
}

// query answers an iq; what is not known gets an empty result.
func (l *line) query(n *waBinary.Node) {
	kind, _ := n.Attrs["type"].(string)
	space, _ := n.Attrs["xmlns"].(string)
	if kind == "result" {
		l.linked(n)
		return
	}
	if kind == "error" {
		return
	}
	child := waBinary.Node{}
	if children := n.GetChildren(); len(children) > 0 {
		child = children[0]
	}
	switch {
	case child.Tag == "link_code_companion_reg":
		l.linkByCode(n, &child)
	case l.dev == nil:
		l.result(n)
	case space == "encrypt":
		l.keys(n, &child, kind)
	case space == "usync":
		l.look(n, &child)
	case space == "passive":
		s := l.s
		s.mu.Lock()
		l.dev.active = child.Tag == "active"
		s.wake()
		s.mu.Unlock()
		l.result(n)
	case space == "privacy":
		l.result(n, node("privacy", nil, node("category", waBinary.Attrs{"name": "readreceipts", "value": "all"})))
	case space == "blocklist":
		l.result(n, node("list", waBinary.Attrs{"dhash": "0"}))
	case space == "w:sync:app:state":
		var collections []waBinary.Node
		for _, c := range child.GetChildren() {
			collections = append(collections, node("collection", waBinary.Attrs{"name": c.Attrs["name"], "version": "0"}))
		}
		l.result(n, node("sync", nil, collections...))
	case space == "w:m":
		l.result(n, node("media_conn", waBinary.Attrs{"auth": mediaAuth, "ttl": 3600, "auth_ttl": 3600, "max_buckets": 12},
			node("host", waBinary.Attrs{"hostname": "media.whatsapp.example"})))
	default:
		l.result(n)
	}
}

// keys keeps and hands out pre-keys; a one-time key is handed out once.
func (l *line) keys(n, child *waBinary.Node, kind string) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case child.Tag == "count":
		l.result(n, node("count", waBinary.Attrs{"value": len(l.dev.oneTime)}))
	case kind == "set":
		if list, ok := n.GetOptionalChildByTag("list"); ok {
			l.dev.oneTime = append(l.dev.oneTime, list.GetChildren()...)
			l.dev.registration, _ = n.GetChildByTag("registration").Content.([]byte)
			l.dev.identity, _ = n.GetChildByTag("identity").Content.([]byte)
			l.dev.signed = n.GetChildByTag("skey")
			s.wake()
		}
		l.result(n)
	case child.Tag == "key":
		var users []waBinary.Node
		for _, u := range child.GetChildren() {
			jid, _ := u.Attrs["jid"].(types.JID)
			users = append(users, s.bundle(jid))
		}
		l.result(n, node("list", nil, users...))
	default:
		l.result(n)
	}
}

func (s *Server) bundle(jid types.JID) waBinary.Node {
	d := s.find(jid)
	if d == nil || len(d.registration) == 0 {
		return node("user", waBinary.Attrs{"jid": jid}, node("error", waBinary.Attrs{"code": "404", "text": "item-not-found"}))
	}
	content := []waBinary.Node{leaf("registration", d.registration), leaf("type", []byte{5}), leaf("identity", d.identity)}
	if len(d.oneTime) > 0 {
		content = append(content, d.oneTime[0])
		d.oneTime = d.oneTime[1:]
	}
	return node("user", waBinary.Attrs{"jid": jid}, append(content, d.signed)...)
}

// look answers who is on WhatsApp, with which devices.
func (l *line) look(n, query *waBinary.Node) {
	s := l.s
	list := query.GetChildByTag("list")
	var users []waBinary.Node
	s.mu.Lock()
	for _, u := range list.GetChildren() {
		jid, ok := u.Attrs["jid"].(types.JID)
		if contact, found := u.GetOptionalChildByTag("contact"); !ok && found {
			text := ""
			switch c := contact.Content.(type) {
			case []byte:
				text = string(c)
			case string:
				text = c
			}
			number, _, _ := strings.Cut(strings.TrimPrefix(text, "+"), "@")
			jid = types.NewJID(number, types.DefaultUserServer)
		}
		users = append(users, s.described(jid))
	}
	s.mu.Unlock()
	l.result(n, node("usync", waBinary.Attrs{
		"sid": query.Attrs["sid"], "mode": query.Attrs["mode"], "context": query.Attrs["context"], "last": "true", "index": "0",
	}, node("result", nil, node("devices", nil)), node("list", nil, users...)))
}

func (s *Server) described(jid types.JID) waBinary.Node {
	a := s.owner(jid)
	if a == nil {
		return node("user", waBinary.Attrs{"jid": jid}, node("contact", waBinary.Attrs{"type": "out"}))
	}
	var devices []waBinary.Node
	for _, d := range a.devices {
		devices = append(devices, node("device", waBinary.Attrs{"id": fmt.Sprint(d.id), "key-index": "1"}))
	}
	return node("user", waBinary.Attrs{"jid": jid},
		node("devices", nil, node("device-list", nil, devices...)),
		node("lid", waBinary.Attrs{"val": types.NewJID(a.lid, types.HiddenUserServer)}),
		node("contact", waBinary.Attrs{"type": "in"}))
}
