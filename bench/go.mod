module spillway.example/bench

go 1.26.0

replace spillway.example/frontdoor => ../frontdoor

require spillway.example/frontdoor v0.0.0
