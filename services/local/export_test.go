package local

// Services is both services over one backend, for tests that have its ports fail.
var Services = services
