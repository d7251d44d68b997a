package web

import (
	"context"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/store"
)

type adminView struct {
	Page     staffPage
	Accounts []accountRow
	Keys     []store.Key
	Staff    []store.Person
	Scopes   []string
	Flows    *FlowReport
	// NewKey and Link are shown once, right after they were made.
	NewKey, NewKeyName string
	Link, LinkFor      string
	LinkValid          string
	KeyForm            keyForm
	StaffForm          staffForm
}

// accountRow is an account in the list.
type accountRow struct {
	store.Account
	CanPair bool // a phone can be linked to it
}

// keyForm is what was typed to make a key, with what is wrong with it.
type keyForm struct {
	Name    string
	Picked  []string
	Problem string
}

// Has says whether a scope was ticked.
func (f keyForm) Has(scope string) bool { return slices.Contains(f.Picked, scope) }

type staffForm struct{ Email, Role, Problem string }

func (s *Server) admin(w http.ResponseWriter, r *http.Request) error {
	return s.showAdmin(w, r, http.StatusOK, adminView{})
}

// showAdmin fills in what the page lists and shows it.
func (s *Server) showAdmin(w http.ResponseWriter, r *http.Request, status int, view adminView) error {
	ctx, who := r.Context(), callerOf(r)
	err := s.reading(ctx, func(tx *store.Tx) (err error) {
		if view.Page, err = s.staffPage(ctx, tx, r, "admin", "Admin"); err != nil {
			return err
		}
		view.Page.URL = "/admin"
		accounts, err := tx.Accounts(ctx, who.merchant)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			canPair := s.opt.BackOffice.Pairing != nil && s.opt.BackOffice.Pairing.CanPair(who.merchant, a.Name)
			view.Accounts = append(view.Accounts, accountRow{a, canPair})
		}
		if view.Keys, err = tx.Keys(ctx, who.merchant); err != nil {
			return err
		}
		view.Staff, err = tx.Staff(ctx, who.merchant)
		return err
	})
	if err != nil {
		return fmt.Errorf("show admin: %w", err)
	}
	view.Scopes = Scopes()
	if s.opt.BackOffice.Flows != nil {
		report, err := s.opt.BackOffice.Flows.Flows(ctx, who.merchant)
		if err != nil {
			return fmt.Errorf("report flows: %w", err)
		}
		view.Flows = &report
	}
	return s.renderStaff(w, status, "admin.html", view)
}

func (s *Server) addKey(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	form := keyForm{Name: clean(r.PostForm.Get("name")), Picked: r.PostForm["scope"]}
	switch unknown := slices.IndexFunc(form.Picked, func(scope string) bool { return !slices.Contains(Scopes(), scope) && scope != "*" }); {
	case form.Name == "":
		form.Problem = "Give the key a name that tells what uses it."
	case utf8.RuneCountInString(form.Name) > maxName:
		form.Problem = fmt.Sprintf("The name may have %d characters at most.", maxName)
	case len(form.Picked) == 0:
		form.Problem = "Tick what the key may do."
	case unknown >= 0:
		form.Problem = "There is no scope " + quoted(form.Picked[unknown]) + "."
	}
	if form.Problem != "" {
		return s.showAdmin(w, r, http.StatusBadRequest, adminView{KeyForm: form})
	}
	ctx, who, secret := r.Context(), callerOf(r), NewKeySecret()
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		key, err := tx.AddKey(ctx, who.merchant, form.Name, form.Picked, secret)
		if err != nil {
			return err
		}
		return tx.Event(ctx, who.merchant, "key_added", key.ID, map[string]any{"by": who.actor, "scopes": form.Picked})
	})
	if err != nil {
		return fmt.Errorf("add key: %w", err)
	}
	return s.showAdmin(w, r, http.StatusCreated, adminView{NewKey: secret, NewKeyName: form.Name})
}

func (s *Server) revokeKey(w http.ResponseWriter, r *http.Request) error {
	ctx, who, id := r.Context(), callerOf(r), r.PathValue("id")
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.RevokeKey(ctx, who.merchant, id); err != nil {
			return err
		}
		return tx.Event(ctx, who.merchant, "key_revoked", id, map[string]any{"by": who.actor})
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return redirectDone(w, r, "/admin", "revoked")
}

// signOutEverywhere ends every session of a person, one's own too: whoever lost a laptop begins here.
func (s *Server) signOutEverywhere(w http.ResponseWriter, r *http.Request) error {
	ctx, who, id := r.Context(), callerOf(r), r.PathValue("id")
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.SignOutEverywhere(ctx, who.merchant, id); err != nil {
			return err
		}
		return tx.Event(ctx, who.merchant, "staff_signed_out", id, map[string]any{"by": who.actor})
	})
	if err != nil {
		return fmt.Errorf("sign out everywhere: %w", err)
	}
	return redirectDone(w, r, "/admin", "signedout")
}

// removeStaff takes a person off the staff. Nobody can remove themselves, so that an admin is always left.
func (s *Server) removeStaff(w http.ResponseWriter, r *http.Request) error {
	ctx, who, id := r.Context(), callerOf(r), r.PathValue("id")
	if id == who.person.ID {
		return &Problem{Status: http.StatusConflict, Sentence: "You cannot remove yourself; another admin can."}
	}
	err := s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.RemoveStaff(ctx, who.merchant, id); err != nil {
			return err
		}
		return tx.Event(ctx, who.merchant, "staff_removed", id, map[string]any{"by": who.actor})
	})
	if err != nil {
		return fmt.Errorf("remove staff: %w", err)
	}
	return redirectDone(w, r, "/admin", "removed")
}

// linkValid is how long a link by which staff sign in can be used.
const linkValid = 24 * time.Hour

// invite makes somebody staff, or changes their role, and shows a link for them to sign in by. It is not mailed: whoever
// invites hands it over.
func (s *Server) invite(w http.ResponseWriter, r *http.Request) error {
	who, form := callerOf(r), staffForm{Email: clean(r.PostFormValue("email")), Role: r.PostFormValue("role")}
	address, err := mail.ParseAddress(form.Email)
	switch {
	case err != nil || address.Name != "" || len(form.Email) > 254:
		form.Problem = "Type an e-mail address, like ana@shop.example."
	case form.Role != store.RoleMerchant && form.Role != store.RoleAdmin:
		form.Problem = "Pick a role."
	case strings.EqualFold(form.Email, who.person.Email) && form.Role != store.RoleAdmin:
		form.Problem = "You cannot take the role of an admin from yourself; another admin can."
	}
	if form.Problem != "" {
		return s.showAdmin(w, r, http.StatusBadRequest, adminView{StaffForm: form})
	}
	link, err := s.inviteLink(r.Context(), who, address.Address, form.Role)
	if err != nil {
		return fmt.Errorf("invite: %w", err)
	}
	return s.showAdmin(w, r, http.StatusCreated, adminView{Link: s.base(r) + "/sign-in/" + link, LinkFor: address.Address, LinkValid: "24 hours"})
}

func (s *Server) inviteLink(ctx context.Context, who caller, email, role string) (secret string, err error) {
	err = s.opt.BackOffice.Store.Tx(ctx, func(tx *store.Tx) error {
		p, err := tx.SetStaff(ctx, who.merchant, email, role)
		if err != nil {
			return err
		}
		if secret, err = tx.AddSignIn(ctx, who.merchant, p.ID, linkValid); err != nil {
			return err
		}
		return tx.Event(ctx, who.merchant, "staff_invited", p.ID, map[string]any{"by": who.actor, "role": role})
	})
	return secret, err
}
