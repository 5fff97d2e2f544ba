package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/nowserving/nowserving/hub/ticket"
)

// kind is how a visitor reaches the branch.
type kind int

const (
	walkIn kind = iota
	webChat
)

// phase is what a visitor does, as far as the simulation knows.
type phase int

const (
	waits phase = iota
	called
	left // went away without a word
	done
)

// visitor is one person.
type visitor struct {
	kind     kind
	first    string
	last     string
	language string
	line     int
	patience time.Duration
	writes   bool // sends a message while waiting

	ticket int64
	phase  phase
	talks  bool // there is a conversation to close
}

// The lists are functions so that nobody can change them.

func firstNames() []string {
	return []string{
		"Ida", "Omar", "Mei", "Jonas", "Lucía", "Amara", "Pavel", "Noor", "Tomás", "Hana", "Eero", "Fatima",
		"Liam", "Zofia", "Kwame", "Yuki", "Mateo", "Ingrid", "Ravi", "Chloé", "Dmitri", "Leila", "Sam", "Anouk",
	}
}

func lastNames() []string {
	return []string{
		"Berg", "Haddad", "Chen", "Weber", "García", "Okafor", "Novák", "Rahman", "Silva", "Sato", "Tamm",
		"Khan", "Murphy", "Kowalska", "Mensah", "Tanaka", "Rossi", "Larsen", "Patel", "Dubois", "Ivanova", "Aziz",
	}
}

func languages() []string { return []string{"en", "en", "en", "es", "et", "ru"} }

func questions() []string {
	return []string{
		"Hello, how long will it take?", "I am running five minutes late.", "Which documents do I need?",
		"Can I still change my address today?", "Is there parking nearby?", "My number has not come up yet.",
	}
}

func answers() []string {
	return []string{
		"You are nearly next.", "No hurry, we will call you again.", "Please have your ID ready.",
		"Yes, we can do that here.", "There is a car park behind the building.", "Thank you, I am looking into it.",
	}
}

func thanks() []string { return []string{"Thank you!", "Great, that helps.", "Understood."} }

func notes() []string {
	return []string{"Needs a second form.", "Prefers a call back.", "Checked the ID.", "Fee was waived."}
}

func labels() []string {
	return []string{"VIP", "Documents missing", "Urgent", "Follow-up", "First visit"}
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// chance is true with probability p.
func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

// between is a duration, every one alike.
func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

// logNormal is a duration as services last: few are short, some are very long.
func logNormal(rng *rand.Rand, median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*rng.NormFloat64()))
}

// newVisitor makes up somebody who is coming to one of the lines.
func newVisitor(rng *rand.Rand, lines []Share, chats float64) *visitor {
	v := &visitor{
		first: pick(rng, firstNames()), last: pick(rng, lastNames()), language: pick(rng, languages()),
		line:     pickLine(rng, lines),
		patience: 10*time.Minute + time.Duration(rng.ExpFloat64()*float64(40*time.Minute)),
		writes:   chance(rng, 0.12),
	}
	if chance(rng, chats) {
		v.kind, v.writes = webChat, true
	}
	return v
}

func pickLine(rng *rand.Rand, lines []Share) int {
	sum := 0.0
	for _, s := range lines {
		sum += s.Weight
	}
	at := rng.Float64() * sum
	for _, s := range lines {
		if at -= s.Weight; at < 0 {
			return s.Line
		}
	}
	return lines[len(lines)-1].Line
}

// create is the command with which the visitor joins the line.
func (v *visitor) create(rng *rand.Rand) ticket.Create {
	c := ticket.Create{
		Line: v.line, FirstName: v.first, LastName: v.last, Language: v.language,
		Source: ticket.SourceName, ShowName: chance(rng, 0.5),
	}
	if v.kind == webChat {
		c.Source = ticket.SourceMicrosite
	}
	if chance(rng, 0.15) {
		c.Labels = []string{pick(rng, labels())}
	}
	return c
}
