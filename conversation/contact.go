package conversation

import "time"

// Contact is a person, as one merchant knows them.
type Contact struct {
	ID             string // con_…
	Name           string
	Language       string // "en", "de"; empty when unknown
	LanguageSource string // form, network, text or staff
	TimeZone       string // IANA name; empty when unknown
	TimeZoneSource string
	ExternalIDs    map[string]string // visitor, utm_source, gclid, …
}

// AddressState says how sure we are that an address is its contact's, and whether we may write to it.
type AddressState string

const (
	Typed    AddressState = "typed"    // somebody typed it into a form: one confirmation request at most
	Linked   AddressState = "linked"   // came back through a link of ours
	Verified AddressState = "verified" // the network itself vouches: they wrote to us
	Stopped  AddressState = "stopped"  // they said stop
	Shut     AddressState = "blocked"  // the network says they blocked us, or that the address is dead
)

// Address is where a contact can be reached: an id on one account's network.
type Address struct {
	ID        string // adr_…
	Account   string
	Channel   string // the adapter's name: webchat, telegram, …
	NetworkID string
	State     AddressState
}

// Purpose is what a consent allows.
type Purpose string

const (
	Alert     Purpose = "alert"     // the event they picked
	Service   Purpose = "service"   // about their orders and questions
	Marketing Purpose = "marketing" // anything else
)

// Consent is the record that a person agreed to be written to: which words they saw, when, and how.
type Consent struct {
	Purpose  Purpose
	Wording  string
	Version  string
	At       time.Time
	Evidence map[string]string // page, ip, user_agent, form
	Revoked  time.Time         // zero while it stands
}
