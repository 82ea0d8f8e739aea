package verify

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// maxMemo bounds how many tokens of one age are remembered.
const maxMemo = 1 << 12

// memo remembers tokens whose signature was good, since clients send the same one with
// each request and the signature is most of the work. What it remembers is true for ever:
// that this token was signed with this key. Whether the key is still one, the times, and
// whether the token was revoked are looked at each time.
type memo struct {
	mu           sync.Mutex
	newer, older map[[sha256.Size]byte]signed
}

// signed is a token that is.
type signed struct {
	keyID     string
	key       Key
	claims    Claims
	notBefore time.Time
}

// own gives the token with lists that nobody else has.
func (s signed) own() signed {
	s.claims.Scopes, s.claims.Groups = slices.Clone(s.claims.Scopes), slices.Clone(s.claims.Groups)
	return s
}

func (m *memo) get(sum [sha256.Size]byte) (signed, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.newer[sum]
	if ok {
		return s.own(), true
	}
	if s, ok = m.older[sum]; ok {
		m.put(sum, s)
	}
	return s.own(), ok
}

func (m *memo) remember(sum [sha256.Size]byte, s signed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(sum, s.own())
}

// put keeps a token, and forgets those that were not asked for since many others came;
// m.mu is held.
func (m *memo) put(sum [sha256.Size]byte, s signed) {
	if m.newer == nil || len(m.newer) >= maxMemo {
		m.older, m.newer = m.newer, map[[sha256.Size]byte]signed{}
	}
	m.newer[sum] = s
}
