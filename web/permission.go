package web

import "net/http"

// Permission says who may use a route. The zero Permission admits nobody; a test finds routes that have it.
type Permission struct {
	kind string // public, staff or key
	need string // the role or the scope
}

// Public admits everybody.
func Public() Permission { return Permission{kind: "public"} }

// Staff admits people who are signed in and have the role: merchant or admin.
func Staff(role string) Permission { return Permission{kind: "staff", need: role} }

// Key admits API keys with the scope.
func Key(scope string) Permission { return Permission{kind: "key", need: scope} }

// IsPublic says that everybody is admitted.
func (p Permission) IsPublic() bool { return p.kind == "public" }

// Role is what a member of staff needs; "" when it is not staff that is admitted.
func (p Permission) Role() string {
	if p.kind == "staff" {
		return p.need
	}
	return ""
}

// Scope is what a key needs; "" when it is not keys that are admitted.
func (p Permission) Scope() string {
	if p.kind == "key" {
		return p.need
	}
	return ""
}

// String is for documentation and problems of tests: "public", "staff:admin", "key:orders:read"; "" admits nobody.
func (p Permission) String() string {
	if p.need == "" {
		return p.kind
	}
	return p.kind + ":" + p.need
}

// Gate admits staff and keys. It returns the request to go on with, whose context tells who it is, or a Problem with
// status 401 or 403.
type Gate interface {
	Admit(r *http.Request, want Permission) (*http.Request, error)
}

// admit asks the gate for whatever is not public. Without a gate nobody comes in.
func (s *Server) admit(r *http.Request, want Permission) (*http.Request, error) {
	switch {
	case want.IsPublic():
		return r, nil
	case want.need == "" || s.opt.Gate == nil:
		return nil, &Problem{Status: http.StatusUnauthorized}
	}
	return s.opt.Gate.Admit(r, want)
}
