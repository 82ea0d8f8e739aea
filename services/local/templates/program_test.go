package templates_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"spillway.example/services/internal/httpapi"
	"spillway.example/services/internal/rpc"
	"spillway.example/services/internal/settings"
	"spillway.example/services/login"
	"spillway.example/services/register"
)

// program is what the templates say of the programs.
func program() []check {
	return []check{
		{
			"settings are rows of the program's table, and the program takes their values", settingNames,
			[]mutation{
				{"service.yaml", "{Name: USERS_TABLE,", "{Name: USER_TABLE,"},
				{"service.yaml", "          USER_POOL_ID: {", "          USER_POOL: {"},
				{"service.yaml", "          LIMITS: !Ref Limits\n", ""},
				{"service.yaml", "{Name: DRAIN_DELAY, Value: 15s}", "{Name: DRAIN_DELAY, Value: 15}"},
				{"service.yaml", `!If [IsLogin, {Name: REGISTER_URL, Value: "grpc://register:8081"}, !Ref AWS::NoValue]`, `{Name: REGISTER_URL, Value: "grpc://register:8081"}`},
			},
		},
		{
			"tasks listen where everybody looks for them", listeners,
			[]mutation{
				{"service.yaml", `{Name: PORT, Value: "8080"}`, `{Name: PORT, Value: "8000"}`},
				{"service.yaml", `{Name: RPC_PORT, Value: "8081"}`, `{Name: RPC_PORT, Value: "9000"}`},
				{"service.yaml", "grpc://register:8081", "grpc://registry:8081"},
				{"service.yaml", `REGISTER_URL: !If [IsLogin, {Fn::ImportValue: !Sub "spillway-${Environment}-url"}`, `REGISTER_URL: !If [IsLogin, "http://register:8081"`},
				{"service.yaml", `TRUSTED_PROXIES, Value: {Fn::ImportValue: !Sub "spillway-${Environment}-vpc-cidr"}`, `TRUSTED_PROXIES, Value: "10.0.0.0/24"`},
			},
		},
		{
			"a task has the time to drain", drain,
			[]mutation{
				{"service.yaml", "StopTimeout: 60", "StopTimeout: 45"},
				{"service.yaml", "StopTimeout: 60", "StopTimeout: 600"},
				{"service.yaml", "HealthCheckIntervalSeconds: 5", "HealthCheckIntervalSeconds: 10"},
			},
		},
		{
			"task and function are one image", oneImage,
			[]mutation{
				{"service.yaml", "Code: {ImageUri: !Ref ImageUri}", "Code: {ImageUri: other}"},
				{"service.yaml", "Architectures: [!Ref Architecture]", "Architectures: [arm64]"},
				{"service.yaml", `AllowedPattern: ".+@sha256:[0-9a-f]{64}"`, `AllowedPattern: ".+"`},
				{"service.yaml", "          EntryPoint: [/var/runtime/bootstrap]\n", ""},
			},
		},
		{
			"a version of the function is made whenever the function changes", version,
			[]mutation{
				{"service.yaml", " ${FunctionMemory}", ""},
				{"service.yaml", "    UpdateReplacePolicy: Retain\n    Properties:\n      FunctionName: !Ref Function", "    Properties:\n      FunctionName: !Ref Function"},
			},
		},
	}
}

// programOperations gives the paths of the services' operations and of what they serve to each
// other, with the service that has them, and paths that no rule may take, with none.
func programOperations() (map[string]string, error) {
	paths := map[string]string{
		rpc.Path + "GetProfile": "register",
		// Not for the world: the embedded store's, probes, and the pages that explain.
		"/": "", "/admin": "", "/admin/users": "", "/outbox": "", "/healthz": "", "/readyz": "", "/docs": "", "/openapi.json": "",
		"/.well-known/jwks.json": "", "/grpc.health.v1.Health/Check": "", "/registered": "", "/debug/pprof/": "", "/metrics": "",
	}
	for service, add := range map[string]func(*httpapi.API){
		"register": func(a *httpapi.API) { register.AddRoutes(a, nil) },
		"login":    func(a *httpapi.API) { login.AddRoutes(a, login.Config{}) },
	} {
		api := httpapi.New(httpapi.Config{Title: service, Version: "test", Logger: slog.New(slog.DiscardHandler)})
		add(api)
		body, err := api.OpenAPI()
		if err != nil {
			return nil, err
		}
		var doc struct{ Paths map[string]any }
		if err := json.Unmarshal(body, &doc); err != nil {
			return nil, err
		}
		for path := range doc.Paths {
			if _, private := paths[path]; !private {
				paths[placeholder.ReplaceAllString(path, "x")] = service
			}
		}
	}
	return paths, nil
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// pathMatches is a load balancer's path pattern: * is any text, ? any one character.
func pathMatches(pattern, path string) bool {
	p := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("^" + p + "$").MatchString(path)
}

// container gives the service's container.
func (l live) container() map[string]any {
	for _, c := range items(l.only("AWS::ECS::TaskDefinition"), "ContainerDefinitions") {
		if str(c, "Name") == "service" {
			return c.(map[string]any)
		}
	}
	return nil
}

// environ gives what a door's program finds in its environment, as os.Environ would.
func (l live) environ(door string) []string {
	var all []string
	if door == "function" {
		for name, v := range l.only("AWS::Lambda::Function")["Environment"].(map[string]any)["Variables"].(map[string]any) {
			all = append(all, name+"="+fmt.Sprint(v))
		}
		return all
	}
	for _, e := range items(l.container(), "Environment") {
		all = append(all, str(e, "Name")+"="+str(e, "Value"))
	}
	return all
}

var doors = []string{"task", "function"}

// sdkSettings are variables of the SDKs, not of ours.
var sdkSettings = regexp.MustCompile(`^(AWS_REGION|OTEL_[A-Z_]+)$`)

// eachService calls f with every stack of a service, in every variant.
func (d *deployment) eachService(f func(v variant, l live)) {
	for _, v := range d.variants() {
		for _, l := range d.render(v) {
			if l.Service != "" && l.container() != nil && l.only("AWS::Lambda::Function") != nil {
				f(v, l)
			}
		}
	}
}

// unset are settings that no stack gives. Neither does one give secrets, which are given by
// reference, nor what is said to be of the embedded store.
var unset = map[string]string{
	"JWKS_URL":      "the user pool's, as it is by itself",
	"LISTEN_HOST":   "all interfaces, as it is by itself",
	"SETTINGS_FILE": "there is no file",
	"TOKEN_ISSUER":  "the user pool, as it is by itself",
}

// tasksOnly are settings of a listener, which a function has not.
var tasksOnly = []string{"PORT", "RPC_PORT", "TRUSTED_PROXIES", "DRAIN_DELAY", "DRAIN_TIMEOUT"}

func settingNames(d *deployment, bad bad) {
	found := 0
	d.eachService(func(v variant, l live) {
		found++
		rows := settings.For(settings.Service(l.Service))
		for _, door := range doors {
			for _, row := range rows {
				apart := row.Secret || strings.HasSuffix(row.Meaning, "`STORE=embedded`") || unset[row.Name] != "" || door == "function" && slices.Contains(tasksOnly, row.Name)
				given := slices.ContainsFunc(l.environ(door), func(e string) bool { return strings.HasPrefix(e, row.Name+"=") })
				if v.name == options().name && !apart && !given {
					bad("%s: the %s of %s cannot be given %s: add a parameter, or say in unset why not", l.template.file, door, l.Service, row.Name)
				}
			}
			for _, e := range l.environ(door) {
				name, _, _ := strings.Cut(e, "=")
				known := slices.ContainsFunc(rows, func(row settings.Setting) bool { return row.Name == name })
				if !known && !sdkSettings.MatchString(name) {
					bad("%s: the %s of %s has %s, which the program does not read", l.template.file, door, l.Service, name)
				}
			}
			if _, err := settings.Parse(settings.Service(l.Service), l.environ(door)); err != nil {
				bad("%s: the %s of %s: %v", l.template.file, door, l.Service, err)
			}
		}
	})
	if found == 0 {
		bad("no service was found")
	}
}

// parsed gives the settings as the program would read them.
func (l live) parsed(door string) settings.Settings {
	s, _ := settings.Parse(settings.Service(l.Service), l.environ(door)) // another check has the error
	return s
}

func listeners(d *deployment, bad bad) {
	for _, v := range d.variants() {
		var rpcAt, url string
		for _, l := range d.render(v) {
			url += str(l.outputs["Url"], "Value")
			if l.Service == "" {
				continue
			}
			s, function := l.parsed("task"), l.parsed("function")
			named := map[string]string{}
			for _, p := range items(l.container(), "PortMappings") {
				named[str(p, "Name")] = str(p, "ContainerPort")
			}
			service := l.only("AWS::ECS::Service")
			http := fmt.Sprint(s.Port)
			if named["http"] != http || str(l.resources["TaskTargets"].Properties, "Port") != http || str(first(service, "LoadBalancers"), "ContainerPort") != http {
				bad("%s: the load balancer asks another port than PORT, %s", l.Name, http)
			}
			for _, c := range items(service, "ServiceConnectConfiguration", "Services") {
				if str(c, "PortName") != "rpc" || named["rpc"] != fmt.Sprint(s.RPCPort) {
					bad("%s: Service Connect must have the port mapping rpc, which is RPC_PORT, and no other: its proxy takes over what it serves", l.Name)
				}
				for _, a := range items(c, "ClientAliases") {
					rpcAt = "grpc://" + str(a, "DnsName") + ":" + str(a, "Port")
				}
			}
			if l.Service == "login" && (s.RegisterURL == nil || s.RegisterURL.String() != rpcAt) {
				bad("login: a task asks %v, and register is at %s", s.RegisterURL, rpcAt)
			}
			if l.Service == "login" && (function.RegisterURL == nil || function.RegisterURL.String() != url) {
				bad("login: the function asks %v, and register is at %s", function.RegisterURL, url)
			}
			if proxies := s.TrustedProxies; len(proxies) != 1 || proxies[0].String() != "10.42.0.0/16" {
				bad("%s: trusts %v to say who the client is, which must be the VPC of the load balancer", l.Name, proxies)
			}
		}
	}
}

func drain(d *deployment, bad bad) {
	d.eachService(func(_ variant, l live) {
		s := l.parsed("task")
		stop := time.Duration(number(l.container(), "StopTimeout")) * time.Second
		if stop <= s.DrainDelay+s.DrainTimeout+time.Second {
			bad("%s: the task is killed after %v, and may drain for %v and %v", l.Name, stop, s.DrainDelay, s.DrainTimeout)
		}
		if stop > 120*time.Second {
			bad("%s: Fargate allows a stop timeout of 120 s at most", l.Name)
		}
		t := l.resources["TaskTargets"].Properties
		noticed := number(t, "HealthCheckIntervalSeconds")*number(t, "UnhealthyThresholdCount") + number(t, "HealthCheckTimeoutSeconds")
		if noticed > s.DrainDelay.Seconds() {
			bad("%s: it takes the load balancer %v s to see that a task drains, and that accepts for %v more", l.Name, noticed, s.DrainDelay)
		}
	})
}

func oneImage(d *deployment, bad bad) {
	d.eachService(func(_ variant, l live) {
		function := l.only("AWS::Lambda::Function")
		if got, other := str(l.container(), "Image"), str(function, "Code", "ImageUri"); got != image(l.Service) || got != other {
			bad("%s: the task runs %s, the function %s", l.Name, got, other)
		}
		if refuse(l.template.parameters["ImageUri"], "repository:latest") == "" {
			bad("%s: an image by tag is taken, which may be another one tomorrow", l.template.file)
		}
		want := map[string]string{"ARM64": "arm64", "X86_64": "x86_64"}[str(l.only("AWS::ECS::TaskDefinition"), "RuntimePlatform", "CpuArchitecture")]
		if got := texts(function, "Architectures"); !slices.Equal(got, []string{want}) {
			bad("%s: tasks are %q, the function is %v", l.Name, want, got)
		}
		if !slices.Equal(texts(l.container(), "EntryPoint"), []string{"/var/runtime/bootstrap"}) {
			bad("%s: a task would start the base image's emulator", l.Name)
		}
	})
}

// version finds parameters that the function has and that make no new version of it.
func version(d *deployment, bad bad) {
	t := d.templates["service.yaml"]
	description := map[string]any{"v": get(t.resources["Version"], "Properties", "Description")}
	described := usedParameters(template{resources: description})
	function := get(t.resources["Function"], "Properties")
	used := usedParameters(template{resources: map[string]any{"f": function}})
	// Fixed for a stack's life, or kept on the function, not in its versions.
	for _, fixed := range []string{"Environment", "Service", "ReservedConcurrency"} {
		delete(used, fixed)
	}
	for name := range used {
		if t.parameters[name] != nil && !described[name] {
			bad("service.yaml: with another %s the alias would go on with the version that has the old one: name it in Version's description", name)
		}
	}
	if len(used) < 3 {
		bad("service.yaml: the function has no parameters")
	}
	if str(t.resources["Version"], "UpdateReplacePolicy") != "Retain" {
		bad("service.yaml: the version before would be deleted, and there would be nothing to go back to")
	}
}
