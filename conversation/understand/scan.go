package understand

import (
	"strings"
	"unicode"
)

// What is read of a text at most; the rest is not looked at, and the whole message is then never a command or a choice.
const (
	maxRunes  = 2000
	maxTokens = 400
)

type kind uint8

const (
	word   kind = iota // letters, folded
	figure             // a number, with its currency once figures has looked at it
	symbol             // a currency or percent sign
	code               // something with digits that is no number: an order id, a phone number, a date, a size
)

type token struct {
	kind    kind
	glued   bool    // nothing stands between it and the token before
	percent bool    // of a figure that is so many hundredths
	upper   bool    // two letters or more, all capitals
	pause   byte    // what stands before it: 0 nothing, ',' a comma, '.' the end of a sentence
	link    byte    // '-', '/', ':' that ties it to the token before without spaces
	text    string  // as folded; of a numeral its digits and signs
	entry   *entry  // of a word that is known
	num     numeral // of a figure
	coin    coin    // of a figure that names its currency
}

type scanned struct {
	tokens   []token
	question bool // a question mark is there
	cut      bool // the text is longer than what is read
}

// scan cuts a text into tokens. suffix says which letters may stand right behind digits ("15eur", "2x") or right before
// them ("chf15"); with any other letters digits make a code.
func scan(text string, suffix map[string]bool) scanned {
	rs, cut := normalize(text)
	s := scanner{rs: rs, suffix: suffix}
	s.cut = cut
	room := 8 // for signs, and words that no space parts
	for _, r := range rs {
		if r == ' ' {
			room++
		}
	}
	s.tokens = make([]token, 0, min(room, maxTokens))
	s.folded.Grow(len(rs))
	s.run()
	return s.scanned
}

type scanner struct {
	scanned
	rs     []rune
	i      int
	suffix map[string]bool
	folded strings.Builder // all words; the texts of the tokens are parts of it
	pause  byte
	space  bool
	link   byte
}

func (s *scanner) run() {
	for s.space = true; s.i < len(s.rs); {
		if len(s.tokens) == maxTokens {
			s.cut = true
			return
		}
		r := s.rs[s.i]
		switch {
		case isDigit(r):
			s.digits()
		case unicode.IsLetter(r):
			s.letters()
		case r == ' ' || r == hardSpace || r == '\n':
			s.space, s.link = true, 0
			if r == '\n' {
				s.pause = '.'
			}
			s.i++
		case r == '%' || unicode.Is(unicode.Sc, r):
			s.add(token{kind: symbol, text: string(r)}, 1)
		case unicode.Is(unicode.So, r):
			s.add(token{kind: word, text: string(r)}, 1)
		default:
			s.mark(r)
		}
	}
}

// mark handles punctuation, which is no token of its own.
func (s *scanner) mark(r rune) {
	next := s.at(s.i + 1)
	switch {
	case (r == '@' || r == '#') && (unicode.IsLetter(next) || isDigit(next)), r == '+' && isDigit(next):
		if r == '#' && s.space && s.tag() {
			return
		}
		s.code(s.i + 1)
		return
	case r == '-' && isDigit(next) && s.space:
		// A minus: nobody names a negative price.
		s.code(s.i + 1)
		return
	case (r == '-' || r == '/' || r == ':') && !s.space && s.pause == 0:
		s.link = byte(r)
		s.i++
		return
	case r == '?':
		s.question, s.pause = true, '.'
	case r == '.' || r == '!' || r == ';' || r == ':' || r == '…' || r == '|':
		s.pause = '.'
	case r == ',' || r == '-' || r == '(' || r == ')' || r == '/' || r == '&':
		if s.pause == 0 {
			s.pause = ','
		}
	}
	if r == '_' && (unicode.IsLetter(next) || isDigit(next)) {
		s.code(s.i)
		return
	}
	s.space = s.space || r != '\''
	s.i++
}

// tag reads "#2", which picks from a list and is no amount.
func (s *scanner) tag() bool {
	j := s.i + 1
	for isDigit(s.at(j)) {
		j++
	}
	if j-s.i > 3 || unicode.IsLetter(s.at(j)) || s.at(j) == '_' || s.at(j) == '-' {
		return false
	}
	s.add(token{kind: word, text: "nr"}, 1)
	return true
}

func (s *scanner) at(i int) rune {
	if i < 0 || i >= len(s.rs) {
		return 0
	}
	return s.rs[i]
}

func (s *scanner) add(t token, runes int) {
	t.glued = !s.space && len(s.tokens) > 0
	t.pause, t.link = s.pause, s.link
	s.tokens = append(s.tokens, t)
	s.i += runes
	s.pause, s.link, s.space = 0, 0, false
}

func (s *scanner) letters() {
	j, upper := s.i, true
	from := s.folded.Len()
	for ; j < len(s.rs); j++ {
		r := s.rs[j]
		if r == '\'' && unicode.IsLetter(s.at(j+1)) {
			continue
		}
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) {
			break
		}
		upper = upper && unicode.IsUpper(r)
		fold(&s.folded, r)
	}
	text := s.folded.String()[from:]
	next := s.at(j)
	switch {
	case isDigit(next) && !s.suffix[text],
		(next == '_' || next == '@') && (unicode.IsLetter(s.at(j+1)) || isDigit(s.at(j+1))),
		next == '.' && text == "www",
		next == ':' && s.at(j+1) == '/' && s.at(j+2) == '/':
		s.code(j)
		return
	}
	s.add(token{kind: word, text: text, upper: upper && j-s.i > 1}, j-s.i)
}

// code takes all up to the next space as one thing that is not read further.
func (s *scanner) code(from int) {
	j := from
	for j < len(s.rs) && s.rs[j] != ' ' && s.rs[j] != hardSpace && s.rs[j] != '\n' {
		r := s.rs[j]
		if !unicode.IsLetter(r) && !isDigit(r) && !unicode.IsLetter(s.at(j+1)) && !isDigit(s.at(j+1)) && s.at(j+1) != '/' {
			break
		}
		j++
	}
	s.add(token{kind: code}, max(j-s.i, 1))
}

func (s *scanner) digits() {
	j := s.i
	spaces := s.spacedGroups(j)
	for ; j < len(s.rs); j++ {
		r := s.rs[j]
		if isDigit(r) || (r == '.' || r == ',' || r == '\'') && isDigit(s.at(j+1)) {
			continue
		}
		if (r == ' ' || r == hardSpace) && spaces > 0 {
			spaces--
			continue
		}
		break
	}
	text := string(s.rs[s.i:j])
	end := j
	for (s.at(j) == '.' || s.at(j) == ',') && s.at(j+1) == '-' {
		// "40,-" and "40.--"
		for j++; s.at(j) == '-'; j++ {
		}
		end = j
	}
	k := end
	for unicode.IsLetter(s.at(k)) {
		k++
	}
	if next := s.at(k); k > end && (!s.suffix[folded(string(s.rs[end:k]))] || next == '_' || next == '@') || k == end && (next == '_' || next == '@') {
		s.code(end)
		return
	}
	s.add(token{kind: figure, text: text}, end-s.i)
}

// spacedGroups counts the spaces that group the digits at i by threes: "1 234 567" has two.
func (s *scanner) spacedGroups(i int) int {
	j, n := i, 0
	for isDigit(s.at(j)) {
		j++
	}
	if j-i > 3 || s.rs[i] == '0' {
		return 0
	}
	for s.at(j) == ' ' || s.at(j) == hardSpace {
		for d := 1; d <= 3; d++ {
			if !isDigit(s.at(j + d)) {
				return n
			}
		}
		if isDigit(s.at(j + 4)) {
			return 0
		}
		n++
		j += 4
	}
	return n
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// hardSpace stands for every space that does not break a line, as between the groups of a number.
const hardSpace = '\u00a0'

// normalize makes one sign of those that mean the same: digits of any script, apostrophes, dashes, wide letters, spaces.
// Signs that cannot be seen go.
func normalize(text string) (rs []rune, cut bool) {
	rs = make([]rune, 0, min(len(text), maxRunes))
	for _, r := range text {
		if len(rs) == maxRunes {
			cut = true
			break
		}
		if r >= 0xff01 && r <= 0xff5e {
			r -= 0xfee0
		}
		switch {
		case r < 0x80:
			if r < ' ' && r != '\n' {
				r = ' '
			}
			if r == '`' {
				r = '\''
			}
		case unicode.Is(unicode.Cf, r) || r == 0xfe0f || r >= 0x1f3fb && r <= 0x1f3ff:
			continue
		case strings.ContainsRune("’‘ʼ´′‛", r):
			r = '\''
		case unicode.Is(unicode.Pd, r) || r == '−':
			r = '-'
		case r == '\u00a0' || r == '\u202f' || r == '\u2007' || r == '\u2009':
			r = hardSpace
		case unicode.IsSpace(r):
			r = ' '
		case r == '×' || r == '✕':
			r = 'x'
		case r == '؟':
			r = '?'
		case r == '。':
			r = '.'
		case r == '٫':
			r = ','
		default:
			r = digit(r)
		}
		rs = append(rs, r)
	}
	if cut {
		// A word or number cut in two would say something else.
		for len(rs) > 0 && rs[len(rs)-1] != ' ' && rs[len(rs)-1] != '\n' {
			rs = rs[:len(rs)-1]
		}
	}
	return rs, cut
}

// digit gives '7' for the seven of any script, and r itself when it is no decimal digit.
func digit(r rune) rune {
	if !unicode.Is(unicode.Nd, r) {
		return r
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// fold writes a letter so that "Fünf", "fuenf" and "FÜNF" are one, also when the dots of ü are a sign of their own.
func fold(b *strings.Builder, r rune) {
	if 'a' <= r && r <= 'z' {
		b.WriteByte(byte(r))
		return
	}
	switch r = unicode.ToLower(r); r {
	case 'ä':
		b.WriteString("ae")
	case 'ö':
		b.WriteString("oe")
	case 'ü':
		b.WriteString("ue")
	case 'ß':
		b.WriteString("ss")
	case '\u0308':
		b.WriteByte('e')
	default:
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
}

func folded(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r != '\'' {
			fold(&b, r)
		}
	}
	return b.String()
}
