// Package linked is WhatsApp through a phone: Parley is a companion device of the shop's own account, as WhatsApp Web is, by
// the library whatsmeow. It has no buttons, lists or templates, and no window of 24 hours; the phone keeps working, and
// what staff write on it takes the conversation over.
//
// WhatsApp does not support such clients and bans numbers that write to strangers or much of the same. The library brings
// libsignal, which is under the GPL-3.0: only a build with the tag whatsmeow has either, and none with nowhatsmeow.
//
// A message is confirmed to WhatsApp once the sink has taken it. When the sink refuses one, it and all that follow are left
// unconfirmed, and the connection is made anew: then they come again, in order, their plaintext kept by the library.
//
// What does not belong here: splitting texts, numbering choices, retrying sends and pacing (package bots).
package linked
