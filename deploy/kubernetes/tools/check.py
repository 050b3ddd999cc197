"""Checks what kustomize built: the schemas of Kubernetes, and what schemas cannot say.

    check.py REPOSITORY OVERLAY.yaml …

Every reference leads somewhere, every policy and budget finds its pods, every container is locked
down, and every setting exists. Exits with 1 and a line for each problem.
"""

import pathlib
import sys
import tomllib

import kubernetes_validate
import yaml

# The lowest version that has all that is used here.
VERSION = "1.31"
# Of operators; their schemas are the operators'.
OPERATORS = {("postgresql.cnpg.io/v1", "Cluster"), ("rabbitmq.com/v1beta1", "RabbitmqCluster")}
# Made by hand before the first `kubectl apply`, as README.md says.
SECRETS = {
    "parlour-shared", "parlour-migration", "parlour-gateway", "parlour-identity", "parlour-notify", "parlour-orders",
    "parlour-media", "parlour-chat", "parlour-postgres", "parlour-rabbitmq", "parlour-tls",
}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
# What an operator's pods are called in policies.
FOREIGN = [{"app.kubernetes.io/name": "postgres"}, {"app.kubernetes.io/name": "rabbitmq"}]


class Overlay:
    def __init__(self, path):
        self.path = path
        self.problems = []
        self.objects = [o for o in yaml.safe_load_all(path.read_text()) if o]
        self.pods = [(self.name(o), o["spec"]["template"]) for o in self.objects if "template" in o.get("spec", {})]

    @staticmethod
    def name(thing):
        return f"{thing['kind']}/{thing['metadata']['name']}"

    def say(self, where, what):
        self.problems.append(f"{self.path.stem}: {where}: {what}")

    def of(self, *kinds):
        return [o for o in self.objects if o["kind"] in kinds]

    def names(self, kind):
        return {o["metadata"]["name"] for o in self.of(kind)}

    def schemas(self):
        for thing in self.objects:
            if (thing["apiVersion"], thing["kind"]) in OPERATORS:
                continue
            try:
                kubernetes_validate.validate(thing, VERSION, strict=True)
            except kubernetes_validate.ValidationError as error:
                self.say(self.name(thing), f"{'.'.join(map(str, error.path))}: {error.message}")
            except kubernetes_validate.SchemaNotFoundError:
                self.say(self.name(thing), f"there is no {thing['kind']} in {thing['apiVersion']}")

    def containers(self):
        for where, template in self.pods:
            spec = template["spec"]
            security = spec.get("securityContext", {})
            if security.get("runAsNonRoot") is not True or security.get("seccompProfile") != {"type": "RuntimeDefault"}:
                self.say(where, "may run as root, or without seccomp")
            if spec.get("automountServiceAccountToken") is not False:
                self.say(where, "is given a token of Kubernetes")
            ours = template["metadata"]["labels"].get("app.kubernetes.io/part-of") == "parlour"
            for container in spec["containers"]:
                self.container(where, container, ours, where.startswith("Job/"))

    def container(self, where, container, ours, job):
        security = container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation") is not False or security.get("capabilities") != {"drop": ["ALL"]}:
            self.say(where, "may gain privileges")
        if ours and security.get("readOnlyRootFilesystem") is not True:
            self.say(where, "may write to its image")
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
            self.say(where, "does not say what it needs")
        for probe in () if job else PROBES:
            if probe not in container:
                self.say(where, f"has no {probe}")
        ports = {port.get("name") for port in container.get("ports", [])}
        for probe in PROBES:
            for way in ("httpGet", "tcpSocket"):
                port = container.get(probe, {}).get(way, {}).get("port")
                if port is not None and port not in ports:
                    self.say(where, f"{probe} asks the port {port}, which there is not")

    def references(self):
        maps, claims = self.names("ConfigMap"), self.names("PersistentVolumeClaim")
        for where, template in self.pods:
            spec = template["spec"]
            volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
            templates = {t["metadata"]["name"] for o in self.of("StatefulSet") for t in o["spec"]["volumeClaimTemplates"]}
            for volume in volumes.values():
                self.known(where, volume.get("configMap", {}).get("name"), maps, "config map")
                self.known(where, volume.get("secret", {}).get("secretName"), SECRETS, "secret")
                self.known(where, volume.get("persistentVolumeClaim", {}).get("claimName"), claims, "claim")
            for container in spec["containers"]:
                for source in container.get("envFrom", []):
                    self.known(where, source.get("configMapRef", {}).get("name"), maps, "config map")
                    secret = source.get("secretRef", {})
                    if not secret.get("optional"):
                        self.known(where, secret.get("name"), SECRETS, "secret")
                mounted = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
                for mount in container.get("volumeMounts", []):
                    self.known(where, mount["name"], volumes.keys() | templates, "volume")
                for variable in self.variables(container):
                    name, value = variable
                    if name.endswith("_FILE") and not any(value.startswith(path + "/") for path in mounted):
                        self.say(where, f"{name} is {value}, where nothing is mounted")
        for thing in self.of("HorizontalPodAutoscaler"):
            self.known(self.name(thing), thing["spec"]["scaleTargetRef"]["name"], self.names("Deployment"), "deployment")
        for thing in self.of("Ingress"):
            for rule in thing["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    self.known(self.name(thing), path["backend"]["service"]["name"], self.names("Service"), "service")

    def variables(self, container):
        for variable in container.get("env", []):
            if "value" in variable:
                yield variable["name"], variable["value"]
        maps = {o["metadata"]["name"]: o for o in self.of("ConfigMap")}
        for source in container.get("envFrom", []):
            thing = maps.get(source.get("configMapRef", {}).get("name"))
            yield from (thing or {}).get("data", {}).items()

    def known(self, where, name, names, what):
        if name is not None and name not in names:
            self.say(where, f"there is no {what} {name}")

    def selectors(self):
        labels = [template["metadata"]["labels"] for _, template in self.pods]
        if any((o["apiVersion"], o["kind"]) in OPERATORS for o in self.objects):
            labels += FOREIGN
        for thing in self.of("PodDisruptionBudget", "Service", "NetworkPolicy", "Deployment", "StatefulSet"):
            spec, where = thing["spec"], self.name(thing)
            selector = spec.get("selector", spec.get("podSelector"))
            if thing["kind"] == "Service":
                selector = {"matchLabels": selector}
            self.selected(where, selector, labels)
            for rule in spec.get("ingress", []) + spec.get("egress", []):
                for peer in rule.get("from", []) + rule.get("to", []):
                    if "podSelector" in peer and "namespaceSelector" not in peer:
                        self.selected(where, peer["podSelector"], labels)

    def selected(self, where, selector, labels):
        wanted = selector.get("matchLabels", {})
        sets = [wanted]
        for expression in selector.get("matchExpressions", []):
            sets += [wanted | {expression["key"]: value} for value in expression["values"]]
        for one in sets:
            if not any(one.items() <= of.items() for of in labels):
                self.say(where, f"finds no pod with {one}")

    def reached(self):
        """Everything is denied first, and only the gateway has a way in from anywhere."""
        closed = [p for p in self.of("NetworkPolicy") if p["spec"]["podSelector"] == {} and "ingress" not in p["spec"]
                  and set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"}]
        if not closed:
            self.say("NetworkPolicy", "nothing denies by default")
        for policy in self.of("NetworkPolicy"):
            for rule in policy["spec"].get("ingress", []):
                if not rule.get("from") and policy["metadata"]["name"] != "gateway":
                    self.say(self.name(policy), "lets anybody in")

    def settings(self, defaults):
        for thing in self.of("ConfigMap"):
            for key, value in thing["data"].items():
                where = f"{self.name(thing)}: {key}"
                if key.endswith(".toml"):
                    for path in paths(tomllib.loads(value)):
                        self.setting(where, path, defaults)
                elif key.startswith("PARLOUR__"):
                    self.setting(where, key.removeprefix("PARLOUR__").removesuffix("_FILE").lower().split("__"), defaults)
        for where, template in self.pods:
            for container in template["spec"]["containers"]:
                for variable in container.get("env", []):
                    if variable["name"].startswith("PARLOUR__"):
                        path = variable["name"].removeprefix("PARLOUR__").removesuffix("_FILE").lower().split("__")
                        self.setting(where, path, defaults)

    def setting(self, where, path, defaults):
        # What has no default, or a name of one's own at its end.
        given = (["vault"], ["contacts"], ["internal", "key"], ["database", "migration_url"], ["database", "urls"],
                 ["gateway", "upstreams"])
        if any(path[: len(start)] == start for start in given):
            return
        at = defaults
        for step in path:
            if not isinstance(at, dict) or step not in at:
                self.say(where, f"there is no setting {'.'.join(path)}")
                return
            at = at[step]


def paths(table, before=()):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from paths(value, (*before, key))
        else:
            yield [*before, key]


def main():
    repository, *files = sys.argv[1:]
    root = pathlib.Path(repository)
    defaults = {}
    for file in [root / "crates/chassis/defaults.toml", *root.glob("services/*/config.default.toml")]:
        defaults |= tomllib.loads(file.read_text())
    problems = []
    for file in files:
        overlay = Overlay(pathlib.Path(file))
        overlay.schemas()
        overlay.containers()
        overlay.references()
        overlay.selectors()
        overlay.reached()
        overlay.settings(defaults)
        problems += overlay.problems
    print("\n".join(problems), file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
