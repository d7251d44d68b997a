package bots

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/adapters"
	"parley/commerce/payment"
)

func TestTypingIsShownWhileAPaymentTakesItsTime(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		alert := s.told("ada")
		if got := sc.typings(); len(got) != 0 {
			t.Fatalf("got %v, want none for what is quick", got)
		}
		decided := make(chan payment.Result)
		s.till.answer = func(payment.Charge) (payment.Result, error) { return <-decided, nil }
		s.presses("ada", alert, "Buy now")
		passes(10 * time.Second)
		if got, want := sc.typings(), []string{"ada", "ada", "ada"}; !slices.Equal(got, want) { // after 1, 5 and 9 s
			t.Errorf("got %v, want %v", got, want)
		}
		decided <- payment.Result{State: payment.Paid}
		rests()
		s.hearsOnly("ada", "Thank you!")
		passes(time.Minute)
		if got := len(sc.typings()); got != 3 {
			t.Errorf("got %d, want no more once it is answered", got)
		}
	})
}

func TestTypingIsShownWhileAnAnswerHasToBeSentAgainButNotAgainstANetworksWish(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		s.net.failing(func(adapters.Part) error { return refused(adapters.Temporary) })
		s.says("ada", "help")
		if got, want := sc.typings(), []string{"ada"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		passes(3 * time.Second) // at most every 4 s, however often it is tried
		if got := len(sc.typings()); got != 1 {
			t.Errorf("got %d, want 1", got)
		}
		s.net.failing(nil)
		passes(time.Hour)
		s.hearsOnly("ada", "I am the bot")

		before := len(sc.typings())
		once := true
		s.net.failing(func(adapters.Part) error {
			if !once {
				return nil
			}
			once = false
			return &adapters.SendError{Consequence: adapters.Throttled, RetryAfter: 20 * time.Second, Reason: "slow down"}
		})
		s.says("ada", "help")
		passes(time.Minute)
		if got := len(sc.typings()); got != before {
			t.Errorf("got %d, want none while the network asks us to wait", got-before)
		}
	})
}

func TestNothingWaitsForTyping(t *testing.T) {
	screenBubble(t, func(t *testing.T, s *shop, sc *screen) {
		sc.hang = true
		s.net.failing(func(p adapters.Part) error {
			if len(s.net.tried) <= 100 {
				return refused(adapters.Temporary)
			}
			return nil
		})
		for i := range 100 {
			s.says(fmt.Sprint("v", i), "help")
		}
		passes(time.Hour)
		if got := len(s.net.all("")); got != 100 {
			t.Errorf("got %d answers, want 100", got)
		}
	})
}
