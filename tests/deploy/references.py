#!/usr/bin/python3
"""references.py [RENDERED]: what the compose files and the Kubernetes manifests of deploy/ say of one another is true, and every container is as
closed as it should be. With RENDERED, the output of kustomize is judged instead of the sources put together here."""
import glob
import os
import re
import sys

import yaml

wrong = []


def expect(true, text):
    if not true:
        wrong.append(text)


def known_settings():
    text = open("docs/CONFIGURATION.md", encoding="utf-8").read()
    return {key.replace(":", "__") for key in re.findall(r"^\| `([A-Za-z:]+)` \|", text, re.M)}


SETTINGS = known_settings()


def check_settings(names, where):
    for name in names:
        if name.startswith("IDP__"):
            key = re.sub("_FILE$", "", name[5:])
            expect(key in SETTINGS, f"{where}: {name} is no setting (docs/CONFIGURATION.md)")


# --- compose ---
def compose(path):
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", lambda m: f"<{m[1]}>", file.read())
    document = yaml.safe_load(text)
    services, secrets = document["services"], document.get("secrets") or {}
    for name, service in services.items():
        where = f"{path}, {name}"
        is_ours = service["image"] == "<IDP_IMAGE>"
        environment = service.get("environment") or {}
        check_settings(environment, where)
        for secret in service.get("secrets", []):
            expect(secret in secrets, f"{where}: the secret {secret} is not defined")
        for value in environment.values():
            if str(value).startswith("/run/secrets/"):
                expect(os.path.basename(value) in service.get("secrets", []), f"{where}: {value} is not mounted")
        expect(not [v for v in environment.values() if re.search(r"(?i)password=", str(v))], f"{where}: a password stands in the environment")
        networks = service.get("networks") or []
        for network in networks:
            expect(network in (document.get("networks") or {}), f"{where}: the network {network} is not defined")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                expect(os.path.exists(os.path.join(os.path.dirname(path), source)), f"{where}: {source} is not there")
            else:
                expect(source in document["volumes"], f"{where}: the volume {source} is not defined")
        for other in service.get("depends_on") or {}:
            expect(other in services, f"{where}: depends on {other}, which is no service")
            if service["depends_on"][other]["condition"] == "service_healthy":
                expect("healthcheck" in services[other], f"{where}: waits for {other} to be healthy, which has no health check")
        if is_ours:
            expect(service.get("user") == "10001:10001", f"{where}: not user 10001")
            expect(service.get("read_only") is True, f"{where}: the root can be written")
            expect(service.get("cap_drop") == ["ALL"], f"{where}: has capabilities")
            expect("no-new-privileges:true" in service.get("security_opt", []), f"{where}: may gain privileges")
            if service.get("command") != ["migrate"]:
                expect("healthcheck" in service, f"{where}: no health check")
                expect(service.get("stop_grace_period") == "30s", f"{where}: is not given time to end")
            if "IDP__Metrics__Urls" in environment:
                expect(not [p for p in service.get("ports", []) if "9464" in p], f"{where}: figures are published")
    proxies = {n.get("ipv4_address") for s in services.values() if isinstance(s.get("networks"), dict) for n in s["networks"].values()}
    for name, service in services.items():
        trusted = (service.get("environment") or {}).get("IDP__Http__TrustedProxies")
        if trusted and not trusted.startswith("<"):
            expect(trusted in proxies, f"{path}, {name}: trusts {trusted}, which is no service here")
    made = set(re.findall(r"\| put ([\w.-]+)", open("deploy/compose.secrets.sh", encoding="utf-8").read()))
    for name, secret in secrets.items():
        expect(secret["file"] == f"./secrets/{name}", f"{path}: the secret {name} is in {secret['file']}")
        expect(name in made or name.endswith(".pem"), f"{path}: compose.secrets.sh does not make {name}")


# --- Kubernetes ---
KINDS = {
    "ServiceAccount": "v1", "Service": "v1", "ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Deployment": "apps/v1", "Job": "batch/v1",
    "Ingress": "networking.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1", "PodDisruptionBudget": "policy/v1",
}


def merge(base, patch):
    """A strategic merge as far as these files need it: lists of named things merge by name, null takes away."""
    if isinstance(base, dict) and isinstance(patch, dict):
        merged = dict(base)
        for key, value in patch.items():
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = merge(base.get(key), value)
        return merged
    if isinstance(base, list) and isinstance(patch, list) and all(isinstance(e, dict) and "name" in e for e in base + patch):
        names = [e["name"] for e in patch]
        return [merge(e, patch[names.index(e["name"])]) if e["name"] in names else e for e in base] + [
            merge(None, e) for e in patch if e["name"] not in [b["name"] for b in base]]
    if isinstance(patch, dict):
        return {key: merge(None, value) for key, value in patch.items() if value is not None}
    return patch


def load(folder):
    """The objects of a kustomization, as kustomize would put them together."""
    kustomization = yaml.safe_load(open(os.path.join(folder, "kustomization.yaml"), encoding="utf-8"))
    expect(kustomization["kind"] == "Kustomization", f"{folder}: is no kustomization")
    objects, used = [], {"kustomization.yaml"}
    for resource in kustomization["resources"]:
        path = os.path.normpath(os.path.join(folder, resource))
        expect(os.path.exists(path), f"{folder}: {resource} is not there")
        if os.path.isdir(path):
            objects += load(path)
        else:
            used.add(resource)
            objects += [o for o in yaml.safe_load_all(open(path, encoding="utf-8")) if o]
    for generator in kustomization.get("configMapGenerator", []):
        data = {}
        for env in generator["envs"]:
            used.add(env)
            lines = [line.strip() for line in open(os.path.join(folder, env), encoding="utf-8")]
            data.update(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
    for patch in kustomization.get("patches", []):
        used.add(patch["path"])
        change = yaml.safe_load(open(os.path.join(folder, patch["path"]), encoding="utf-8"))
        targets = [i for i, o in enumerate(objects) if o["kind"] == change["kind"] and o["metadata"]["name"] == change["metadata"]["name"]]
        expect(len(targets) == 1, f"{folder}: {patch['path']} changes nothing")
        for i in targets:
            objects[i] = merge(objects[i], change)
    for file in os.listdir(folder):
        expect(file in used, f"{folder}: {file} is in no kustomization")
    return objects


def cluster(objects, where):
    def named(kind):
        return {o["metadata"]["name"]: o for o in objects if o["kind"] == kind}

    for o in objects:
        expect(KINDS.get(o["kind"]) == o["apiVersion"], f"{where}: {o['kind']} {o['metadata']['name']} is of {o['apiVersion']}")
    seen = [(o["kind"], o["metadata"]["name"]) for o in objects]
    expect(len(seen) == len(set(seen)), f"{where}: an object is there twice")
    maps, deployments, services = named("ConfigMap"), named("Deployment"), named("Service")
    pods = {name: o["spec"]["template"] for kind in ("Deployment", "Job") for name, o in named(kind).items()}
    for name, pod in pods.items():
        spec, place = pod["spec"], f"{where}, {name}"
        expect(spec["serviceAccountName"] in named("ServiceAccount"), f"{place}: its service account is not there")
        expect(spec["automountServiceAccountToken"] is False, f"{place}: has a token of the cluster")
        security = spec["securityContext"]
        expect(security["runAsNonRoot"] and security["runAsUser"] == 10001 and security["fsGroup"] == 10001, f"{place}: not user 10001")
        expect(security["seccompProfile"] == {"type": "RuntimeDefault"}, f"{place}: no seccomp profile")
        volumes = {v["name"]: v for v in spec["volumes"]}
        settings = {}
        for container in spec["containers"]:
            own = container["securityContext"]
            expect(own["readOnlyRootFilesystem"] and own["allowPrivilegeEscalation"] is False and own["capabilities"] == {"drop": ["ALL"]}, f"{place}: not closed")
            expect("requests" in container["resources"] and "memory" in container["resources"]["limits"], f"{place}: no resources")
            expect(not container.get("env"), f"{place}: settings beside the config map")
            for source in container["envFrom"]:
                expect(source["configMapRef"]["name"] in maps, f"{place}: the config map {source['configMapRef']['name']} is not there")
                settings.update(maps.get(source["configMapRef"]["name"], {}).get("data", {}))
            mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
            for volume in mounts.values():
                expect(volume in volumes, f"{place}: the volume {volume} is not defined")
            ports = {p["name"] for p in container.get("ports", [])}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if container.get("args") == ["serve"]:
                    expect(container[probe]["httpGet"]["port"] in ports, f"{place}: {probe} asks a port that is not there")
            for key, value in settings.items():
                if value.startswith("/run/secrets/"):
                    folder, file = os.path.split(value)
                    sources = volumes.get(mounts.get(folder), {}).get("projected", {})
                    expect(sources.get("defaultMode") == 0o440, f"{place}: {key} is in {folder}, which is no mounted secret of mode 0440")
                    expect({"connection-string": "idp-database", "master.key": "idp-master-key"}[file] in [s["secret"]["name"] for s in sources.get("sources", [])], f"{place}: no secret has {file}")
        check_settings(settings, place)
        expect(settings.get("IDP__Metrics__Urls", "").endswith(":9464"), f"{place}: figures are not at port 9464")
        for volume in volumes.values():
            claim = volume.get("persistentVolumeClaim")
            expect(not claim or claim["claimName"] in named("PersistentVolumeClaim"), f"{place}: the claim of {volume['name']} is not there")
            expect(len(volume) == 2, f"{place}: the volume {volume['name']} is of two kinds")

    def matching(selector):
        return [p for p in pods.values() if selector.items() <= p["metadata"]["labels"].items()]

    for name, deployment in deployments.items():
        expect(matching(deployment["spec"]["selector"]["matchLabels"]) == [deployment["spec"]["template"]], f"{where}, {name}: its selector finds other pods")
        expect(deployment["spec"]["replicas"] == 1 or any(s["IDP__Storage__Provider"] != "sqlite" for s in [m["data"] for m in maps.values()]), f"{where}: several pods on SQLite")
    for name, service in services.items():
        found = matching(service["spec"]["selector"])
        expect(found == [deployments["idp"]["spec"]["template"]], f"{where}: the service {name} finds {len(found)} kinds of pods")
        ports = {p["name"] for pod in found for c in pod["spec"]["containers"] for p in c["ports"]}
        for port in service["spec"]["ports"]:
            expect(port["targetPort"] in ports, f"{where}: the service {name} leads to port {port['targetPort']}, which no pod has")
    for name, ingress in named("Ingress").items():
        hosts = {h for t in ingress["spec"]["tls"] for h in t["hosts"]}
        for rule in ingress["spec"]["rules"]:
            expect(rule["host"] in hosts, f"{where}: {rule['host']} has no certificate")
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                expect(backend["port"]["name"] in [p["name"] for p in services.get(backend["name"], {"spec": {"ports": []}})["spec"]["ports"]], f"{where}: the ingress leads to {backend}")
        for settings in maps.values():
            expect(settings["data"]["IDP__Issuer"] in [f"https://{h}" for h in hosts], f"{where}: the issuer is no host of the ingress")
    # The commands of README.md make every secret that is referred to.
    made = dict(re.findall(r"create secret (?:generic|tls) (\S+) (.*)", open("deploy/README.md", encoding="utf-8").read()))
    for secret, key in {"idp-database": "connection-string", "idp-master-key": "master.key"}.items():
        expect(re.search(rf"--from-(literal|file)={re.escape(key)}\b", made.get(secret, "")), f"deploy/README.md does not make the secret {secret} with {key}")
    used = {s["secret"]["name"] for pod in pods.values() for v in pod["spec"]["volumes"] for s in v.get("projected", {}).get("sources", [])}
    for secret in used | {t["secretName"] for i in named("Ingress").values() for t in i["spec"]["tls"]}:
        expect(secret in made, f"{where}: deploy/README.md does not make the secret {secret}")
    for kind in ("PodDisruptionBudget", "NetworkPolicy"):
        for name, o in named(kind).items():
            selector = o["spec"].get("selector") or o["spec"]["podSelector"]
            labels = selector.get("matchLabels") or {}
            expressions = selector.get("matchExpressions") or []
            expect(matching(labels), f"{where}: {kind} {name} finds no pods")
            for e in expressions:
                for value in e["values"]:
                    expect(matching({e["key"]: value}), f"{where}: {kind} {name} names {value}, which no pod is called")
            for rule in o["spec"].get("ingress", []):
                ports = {p["name"] for pod in matching(labels) for c in pod["spec"]["containers"] for p in c.get("ports", [])}
                for port in rule["ports"]:
                    expect(port["port"] in ports, f"{where}: {name} lets in to port {port['port']}, which no pod has")
    expect(not named("Secret"), f"{where}: a secret stands in the manifests")


if len(sys.argv) > 1:
    rendered = [o for o in yaml.safe_load_all(open(sys.argv[1], encoding="utf-8")) if o]
    cluster([o for o in rendered], sys.argv[1])
else:
    for path in sorted(glob.glob("deploy/compose.*.yaml")):
        compose(path)
    for overlay in sorted(glob.glob("deploy/kubernetes/overlays/*")):
        cluster(load(overlay), overlay)
for text in wrong:
    print(text)
sys.exit(1 if wrong else 0)
