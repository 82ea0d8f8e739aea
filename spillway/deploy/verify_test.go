package deploy_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"spillway.example/services/local"
	"spillway.example/spillway/deploy"
	"spillway.example/spillway/deploy/awscloud"
	"spillway.example/spillway/deploy/deploytest"
)

const ecrHost = deploytest.Account + ".dkr.ecr." + deploytest.Region + ".amazonaws.com"

// ecr is a real registry that stands for ECR, and leads what is meant for ECR to it.
type ecr struct {
	*httptest.Server
	asked atomic.Bool // with credentials
}

func newECR(t *testing.T) *ecr {
	t.Helper()
	r := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	e := &ecr{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/v2/" { // as ECR does, it asks who that is
			w.Header().Set("Www-Authenticate", `Basic realm="https://`+ecrHost+`/"`)
			if req.Header.Get("Authorization") == "" && strings.HasSuffix(req.Host, "amazonaws.com") {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		if req.Header.Get("Authorization") != "" {
			e.asked.Store(true)
		}
		r.ServeHTTP(w, req)
	}))
	t.Cleanup(e.Close)
	return e
}

// RoundTrip implements http.RoundTripper.
func (e *ecr) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Host, ".amazonaws.com") {
		r = r.Clone(r.Context())
		r.Host, r.URL.Host, r.URL.Scheme = r.URL.Host, e.Listener.Addr().String(), "http"
	}
	return http.DefaultTransport.RoundTrip(r)
}

// push pushes an image or an index for an architecture, and gives it as ECR would name it.
func (e *ecr) push(t *testing.T, service, architecture string, asIndex bool) string {
	t.Helper()
	plain, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	plain = mutate.MediaType(mutate.ConfigMediaType(plain, types.OCIConfigJSON), types.OCIManifestSchema1)
	config, err := plain.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	if plain, err = mutate.ConfigFile(plain, config); err != nil {
		t.Fatal(err)
	}
	var what remote.Taggable = plain
	if asIndex {
		what = mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: plain, Descriptor: v1.Descriptor{Platform: config.Platform()}})
	}
	ref, err := name.ParseReference(e.Listener.Addr().String() + "/spillway/staging/" + service + ":pushed")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Push(ref, what); err != nil {
		t.Fatal(err)
	}
	d, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	return ecrHost + "/spillway/staging/" + service + "@" + d.Digest.String()
}

const certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/1"

func TestVerify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, w *world, e *ecr, d *deploy.Deployment)
		says   string // a wrong thing; empty where there is none
	}{
		{"nothing wrong", func(*testing.T, *world, *ecr, *deploy.Deployment) {}, ""},
		{"live, with everything there", func(t *testing.T, w *world, _ *ecr, _ *deploy.Deployment) { w.apply(t, "register=a", "login=a") }, ""},
		{"no value", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Environment = d.Environment.With("network", "Zones", "9")
		}, "values       network: Zones: must be one of 2, 3"},
		{"no image", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) { delete(d.Images, "login") }, "values       login: no image is known"},
		{"an index", func(t *testing.T, _ *world, e *ecr, d *deploy.Deployment) {
			d.Images["login"] = e.push(t, "login", "arm64", true)
		},
			"it is an image index of linux/arm64: build it for one platform with --provenance=false"},
		{"another architecture", func(t *testing.T, _ *world, e *ecr, d *deploy.Deployment) {
			d.Images["login"] = e.push(t, "login", "amd64", false)
		}, "it is for linux/amd64, and is to be for linux/arm64"},
		{"an image that is not there", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Images["login"] = ecrHost + "/spillway/staging/login@sha256:" + strings.Repeat("0", 64)
		}, "images       login: asking the registry for"},
		{"an image of another region", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Images["login"] = strings.ReplaceAll(d.Images["login"], deploytest.Region, "eu-north-1")
		}, "is not in ECR in eu-west-1, and Lambda takes images from nowhere else"},
		{"an image of another account", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Images["login"] = strings.ReplaceAll(d.Images["login"], deploytest.Account, "999999999999")
		}, "is of account 999999999999, and these credentials of 123456789012"},
		{"no certificate", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Environment = d.Environment.With("network", "CertificateArn", certificate+"0")
		}, "network: CertificateArn: there is no certificate"},
		{"a certificate that is not issued", func(_ *testing.T, w *world, _ *ecr, _ *deploy.Deployment) {
			w.Certify(certificate, "PENDING_VALIDATION", "*.example.com")
		}, "the certificate is PENDING_VALIDATION: it must be issued first"},
		{"a certificate for another name", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Environment = d.Environment.With("network", "DomainName", "a.b.example.com")
		}, "the certificate is for *.example.com, not for a.b.example.com"},
		{"a certificate of another region", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Environment = d.Environment.With("network", "CertificateArn", strings.Replace(certificate, "eu-west-1", "us-east-1", 1))
		}, "is of us-east-1, and a load balancer takes one of its own region, eu-west-1"},
		{"a secret that is to be deleted", func(t *testing.T, w *world, _ *ecr, _ *deploy.Deployment) {
			w.apply(t, "register=a", "login=a")
			w.Bury("spillway-staging-data-Secret")
		}, "data: Secret: the secret spillway-staging-data-Secret: it is not there for long"},
		{"a permission", func(_ *testing.T, w *world, _ *ecr, _ *deploy.Deployment) { w.Deny("cloudformation:ExecuteChangeSet") },
			"arn:aws:iam::123456789012:role/deployer may not cloudformation:ExecuteChangeSet on arn:aws:cloudformation:eu-west-1:123456789012:stack/spillway-staging-network/*"},
		{"a stack that is stuck", func(_ *testing.T, w *world, _ *ecr, _ *deploy.Deployment) {
			w.SetStatus("spillway-staging-network", "UPDATE_ROLLBACK_FAILED", "", "")
		}, "spillway-staging-network is UPDATE_ROLLBACK_FAILED"},
		{"a stack that is not there yet", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) { d.Only = []string{deploy.Services} },
			"register: imports spillway-staging-vpc of spillway-staging-network, which is not there: apply that first"},
		{"a setting that the program does not read", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Settings = without("LOG_LEVEL")
		}, "login: the function gets LOG_LEVEL, which the program does not read"},
		{"a setting that the program requires", func(_ *testing.T, _ *world, _ *ecr, d *deploy.Deployment) {
			d.Settings = func(string) map[string]bool {
				m := local.SettingsOnAWS("register")
				m["JWKS_URL"] = true
				return m
			}
		}, "login: the task does not get JWKS_URL, which the program requires"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, e := newWorld(t), newECR(t)
			d := w.deployment(t, func(d *deploy.Deployment) {
				d.Cloud = awscloud.New(aws.Config{
					Region: deploytest.Region, BaseEndpoint: aws.String(w.URL), HTTPClient: &http.Client{Transport: e},
					Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
				})
				d.Settings = local.SettingsOnAWS
				d.Environment = d.Environment.With("network", "CertificateArn", certificate).With("network", "DomainName", "accounts.example.com")
				d.Images["register"], d.Images["login"] = e.push(t, "register", "arm64", false), e.push(t, "login", "arm64", false)
			})
			w.Certify(certificate, "ISSUED", "*.example.com")
			tt.change(t, w, e, d)
			w.said.Reset()
			err := d.Verify(t.Context())
			if tt.says == "" {
				if err != nil {
					t.Errorf("%v\n%s", err, w.said.String())
				}
				w.says(t, "ok     values", "ok     images", "ok     certificate", "ok     permissions")
				if !e.asked.Load() {
					t.Error("the registry was asked without ECR's token")
				}
				return
			}
			w.wants(t, err, deploy.CodeFindings, "to see to before it can be applied")
			if !strings.Contains(w.said.String(), "WRONG  ") {
				t.Error("nothing is WRONG")
			}
			w.says(t, tt.says)
		})
	}
}

func without(setting string) func(string) map[string]bool {
	return func(service string) map[string]bool {
		m := local.SettingsOnAWS(service)
		delete(m, setting)
		return m
	}
}

// What may not be asked is skipped, and nothing else is for that.
func TestVerifyWithoutPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Fail(deploytest.Fault{Action: "SimulatePrincipalPolicy", Status: 403, Code: "AccessDenied", Say: "not authorized"})
	err := w.deployment(t, func(d *deploy.Deployment) { d.Only = []string{deploy.Infrastructure} }).Verify(t.Context())
	if err != nil {
		t.Error(err)
	}
	w.says(t, "skip   permissions  these credentials may not ask that", "ok     values")
}

// Every call that a deployment makes is one that verify asks the permission for.
func TestPermissionsAreComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(t, "register=a", "login=a")
	w.Crash(image("register", "b"))
	_ = w.deployment(t, images("register=b")).Apply(t.Context()) // for its calls
	w.apply(t, "register=c")
	if err := w.deployment(t, nil).Rollback(t.Context(), []string{"register"}); err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	d := w.deployment(t, nil)
	for _, p := range deploy.Permissions("staging", d.Environment.Stacks, deploytest.Region, deploytest.Account) {
		for _, a := range p.Actions {
			_, action, _ := strings.Cut(a, ":")
			allowed[action] = true
		}
	}
	called := w.Calls()
	slices.Sort(called)
	for _, c := range slices.Compact(called) {
		if !allowed[c] {
			t.Errorf("%s is called, and verify does not ask for it", c)
		}
	}
}

// The templates that are deployed stand up to verify.
func TestVerifyTemplates(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"staging", "production"} {
		env, err := deploy.Load(templates, name)
		if err != nil {
			t.Fatal(err)
		}
		w, e := newWorld(t), newECR(t)
		w.Certify("arn:aws:acm:eu-west-1:111122223333:certificate/00000000-0000-0000-0000-000000000000", "ISSUED", "accounts.example.com", "accounts.staging.example.com")
		d := w.deployment(t, func(d *deploy.Deployment) {
			d.Environment, d.Settings = env, local.SettingsOnAWS
			d.Cloud = awscloud.New(aws.Config{
				Region: deploytest.Region, BaseEndpoint: aws.String(w.URL), HTTPClient: &http.Client{Transport: e},
				Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
			})
			d.Images["register"], d.Images["login"] = e.push(t, "register", "arm64", false), e.push(t, "login", "arm64", false)
		})
		if err := d.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v\n%s", name, err, w.said.String())
		}
	}
}
