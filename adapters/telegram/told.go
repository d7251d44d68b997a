package telegram

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// told is an update as Telegram writes it, as far as we read it: the library's type of 2021 lacks what is newer, and costs many
// times as much to fill in.
type told struct {
	ID       int                         `json:"update_id"`
	Message  *message                    `json:"message"`
	Edited   *message                    `json:"edited_message"`
	Callback *press                      `json:"callback_query"`
	Member   *tgbotapi.ChatMemberUpdated `json:"my_chat_member"`
	Checkout *tgbotapi.PreCheckoutQuery  `json:"pre_checkout_query"`
	Reaction *reaction                   `json:"message_reaction"`
}

// press is a button that somebody pressed.
type press struct {
	ID      string         `json:"id"`
	From    *tgbotapi.User `json:"from"`
	Message *message       `json:"message"`
	Data    string         `json:"data"`
}

type message struct {
	ID         int64          `json:"message_id"`
	ThreadID   int64          `json:"message_thread_id"` // the topic
	From       *tgbotapi.User `json:"from"`
	SenderChat *tgbotapi.Chat `json:"sender_chat"`
	Signature  string         `json:"author_signature"`
	Chat       *tgbotapi.Chat `json:"chat"`
	Date       int            `json:"date"`
	EditDate   int            `json:"edit_date"`
	ReplyTo    struct {
		ID int64 `json:"message_id"`
	} `json:"reply_to_message"`
	MovedTo   int64                       `json:"migrate_to_chat_id"`
	MovedFrom int64                       `json:"migrate_from_chat_id"`
	Payment   *tgbotapi.SuccessfulPayment `json:"successful_payment"`

	Text    string `json:"text"`
	Caption string `json:"caption"`

	// What stands beside words, or in their place, of which we say only what it is.
	Photo     []thing `json:"photo"`
	Animation *thing  `json:"animation"`
	Document  *thing  `json:"document"`
	Voice     *thing  `json:"voice"`
	Audio     *thing  `json:"audio"`
	Video     *thing  `json:"video"`
	VideoNote *thing  `json:"video_note"`
	Sticker   *thing  `json:"sticker"`
	Contact   *thing  `json:"contact"`
	Venue     *thing  `json:"venue"`
	Location  *thing  `json:"location"`
	Poll      *thing  `json:"poll"`
	Dice      *thing  `json:"dice"`
	Game      *thing  `json:"game"`
	Story     *thing  `json:"story"`
	PaidMedia *thing  `json:"paid_media"`
	Checklist *thing  `json:"checklist"`
}

type thing struct{}

// lenient reads JSON as encoding/json does, which minds neither a name that comes twice nor broken UTF-8.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decode reads what Telegram wrote, in less than half the time of encoding/json. Its error quotes nothing of it.
func decode(text []byte, into any) error {
	err := json.Unmarshal(text, into, lenient)
	if misfit, ok := errors.AsType[*json.SemanticError](err); ok {
		misfit.JSONValue = nil
	}
	return err
}
