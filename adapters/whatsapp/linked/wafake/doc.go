// Package wafake is a WhatsApp server for tests, with people at its other end: package linked and any other client speak to
// it over their own Noise and Signal code, and it relays ciphertext that it cannot read.
//
// It knows linking by QR and by code, pre-keys, user look-ups, messages, receipts, typing and media for companion devices;
// stanzas that a device has not acknowledged are delivered again when it comes back. It has no groups, no history and no
// phone of its own: whoever scans a QR code here has a phone that only links.
//
// A client trusts it when whatsmeow.WACertPubKey is its root key, which Start sees to, for the whole process.
package wafake
