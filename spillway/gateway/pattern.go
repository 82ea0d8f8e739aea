package gateway

// match compares s with a pattern in which * stands for any number of characters and ?
// for exactly one (Elastic Load Balancing, "Condition types for listener rules").
func match(pattern, s string) bool {
	// The last * and what it is tried with: when the rest does not fit, it takes one
	// character more. Earlier stars never need to, so this is at worst len × len.
	star, tried := -1, 0
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, tried = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			tried++
			p, i = star+1, tried
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
