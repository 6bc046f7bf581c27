"""A stand-in for a server of this network (a PDS) and for the reader's side that answers through it."""

from __future__ import annotations

from typing import Any

from hubbub.emulation.emulator import BadControl, BadJson, Call, Emulator, Reply, Thing, route
from hubbub.platforms.bluesky.emulator import people, seen
from hubbub.platforms.bluesky.emulator.answers import body_of, nsid_of, params_of, refusal, refuse
from hubbub.platforms.bluesky.emulator.lexicon import POST, WRITES
from hubbub.platforms.bluesky.emulator.repo import Repo, Write, wire_time
from hubbub.platforms.bluesky.emulator.sessions import Sessions
from hubbub.platforms.bluesky.emulator.views import Views

# The reference server's default; hosts choose their own, and describeServer tells.
BLOB_LIMIT = 5_242_880
# https://docs.bsky.app/docs/advanced-guides/rate-limits: per IP. Counted, not enforced: `throttle` does that.
WINDOW, BUDGET = 300, 3000
ACTIONS = {f"{WRITES}#{action}": action for action in ("create", "update", "delete")}


class Bluesky(Emulator):
    """People sign in with the app password "sandbox" unless they were made with another `password`."""

    name = "bluesky"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sessions = Sessions(self.world, self.clock)
        self.counted = (0, 0)

    # Sessions: com.atproto.server

    @route("POST", "/xrpc/com.atproto.server.createSession")
    async def create_session(self, call: Call) -> Reply:
        body = body_of(call)
        person = people.find_for_sign_in(self.world, body["identifier"])
        if person is None or person["password"] != body["password"]:
            raise refuse(401, message="Invalid identifier or password")
        return Reply(200, {**self.sessions.open(person), **self._session(person, call)})

    @route("POST", "/xrpc/com.atproto.server.refreshSession")
    async def refresh_session(self, call: Call) -> Reply:
        person, tokens = self.sessions.refresh(call)
        return Reply(200, {**tokens, **self._session(person, call)})

    @route("GET", "/xrpc/com.atproto.server.getSession")
    async def get_session(self, call: Call) -> Reply:
        return Reply(200, self._session(self.sessions.person(call), call))

    @route("POST", "/xrpc/com.atproto.server.deleteSession")
    async def delete_session(self, call: Call) -> Reply:
        self.sessions.close(call)
        return Reply(200)

    @route("GET", "/xrpc/com.atproto.server.describeServer")
    async def describe_server(self, call: Call) -> Reply:
        said = {"availableUserDomains": [people.HANDLE_DOMAIN], "inviteCodeRequired": False}
        said |= {"blobUploadLimit": BLOB_LIMIT, "links": {}, "contact": {}}
        return Reply(200, {"did": people.server_did(call.base_url), **said})

    @route("GET", "/xrpc/_health")
    async def health(self, call: Call) -> Reply:
        return Reply(200, {"version": "0.5.35"})

    # Who is who: handles and DID documents

    @route("GET", "/xrpc/com.atproto.identity.resolveHandle")
    async def resolve_handle(self, call: Call) -> Reply:
        person = people.find(self.world, params_of(call)["handle"])
        if person is None:
            raise refuse(400, "HandleNotFound", "Unable to resolve handle")
        return Reply(200, {"did": person["did"]})

    @route("GET", "/.well-known/did.json")
    @route("GET", "/did.json")
    async def own_document(self, call: Call) -> Reply:
        did = people.server_did(call.base_url)
        return Reply(200, {"@context": ["https://www.w3.org/ns/did/v1"], "id": did})

    @route("GET", "/{did}")
    async def document(self, call: Call) -> Reply:
        person = (
            people.find(self.world, call.params["did"]) if call.params["did"].startswith("did:") else None
        )
        if person is None:
            return Reply(404, {"message": f"DID not registered: {call.params['did']}"})
        kind = {"content-type": "application/did+ld+json; charset=utf-8"}
        return Reply(200, people.document(person, call.base_url), kind)

    # Records: com.atproto.repo

    @route("POST", "/xrpc/com.atproto.repo.createRecord")
    async def create_record(self, call: Call) -> Reply:
        repo, body = self._own_repo(call)
        write = _prepared(repo, "create", body)
        replaced = repo.same_subject(write) if body.get("validate") is not False else []
        commit = repo.apply([*replaced, write], body.get("swapCommit"))
        return Reply(200, {**_written(repo, write), "commit": commit})

    @route("POST", "/xrpc/com.atproto.repo.putRecord")
    async def put_record(self, call: Call) -> Reply:
        repo, body = self._own_repo(call)
        current = repo.get(body["collection"], body["rkey"])
        write = _prepared(repo, "update" if current else "create", body)
        if current and current["cid"] == write.cid:
            return Reply(200, _written(repo, write))
        _check_swap(repo, write, body)
        commit = repo.apply([write], body.get("swapCommit"))
        return Reply(200, {**_written(repo, write), "commit": commit})

    @route("POST", "/xrpc/com.atproto.repo.deleteRecord")
    async def delete_record(self, call: Call) -> Reply:
        repo, body = self._own_repo(call)
        if repo.get(body["collection"], body["rkey"]) is None:
            return Reply(200, {})
        gone = Write("delete", body["collection"], body["rkey"])
        _check_swap(repo, gone, body)
        return Reply(200, {"commit": repo.apply([gone], body.get("swapCommit"))})

    @route("POST", f"/xrpc/{WRITES}")
    async def apply_writes(self, call: Call) -> Reply:
        repo, body = self._own_repo(call)
        if len(body["writes"]) > 200:
            raise refuse(400, message="Too many writes. Max: 200")
        writes: list[Write] = []
        for at, said in enumerate(body["writes"]):
            action = ACTIONS[said["$type"]]
            if action == "delete":
                writes.append(Write(action, said["collection"], said["rkey"]))
            else:
                one = {**said, "record": said["value"], "validate": body.get("validate")}
                writes.append(_prepared(repo, action, one, f"$.writes[{at}].record"))
        commit = repo.apply(writes, body.get("swapCommit"))
        results = [
            {"$type": f"{WRITES}#{w.action}Result", **(_written(repo, w) if w.cid else {})} for w in writes
        ]
        return Reply(200, {"commit": commit, "results": results})

    @route("GET", "/xrpc/com.atproto.repo.getRecord")
    async def get_record(self, call: Call) -> Reply:
        asked = params_of(call)
        person = people.find(self.world, asked["repo"])
        if person is None:
            raise refuse(400, message="Could not locate record")
        repo = self._repo(person)
        record = repo.get(asked["collection"], asked["rkey"])
        if record is None or asked.get("cid", record["cid"]) != record["cid"]:
            uri = repo.uri(asked["collection"], asked["rkey"])
            raise refuse(400, "RecordNotFound", f"Could not locate record: {uri}")
        return Reply(200, _as_read(record))

    @route("GET", "/xrpc/com.atproto.repo.listRecords")
    async def list_records(self, call: Call) -> Reply:
        asked = params_of(call)
        person = people.find(self.world, asked["repo"])
        if person is None:
            raise refuse(400, message=f"Could not find repo: {asked['repo']}")
        backwards = asked.get("reverse") == "true"
        records = self.world.all("records", did=person["did"], collection=asked["collection"])
        records.sort(key=lambda record: record["rkey"], reverse=not backwards)
        page = _after(records, asked.get("cursor"), backwards)[: asked.get("limit", 50)]
        more = {"cursor": page[-1]["rkey"]} if page else {}
        return Reply(200, {"records": [_as_read(record) for record in page], **more})

    @route("GET", "/xrpc/com.atproto.repo.describeRepo")
    async def describe_repo(self, call: Call) -> Reply:
        name = params_of(call)["repo"]
        person = people.find(self.world, name)
        if person is None:
            raise refuse(400, "RepoNotFound", f"Could not find repo for DID: {name}")
        records = self.world.all("records", did=person["did"])
        said = {"handle": person["handle"], "did": person["did"], "handleIsCorrect": True}
        said["didDoc"] = people.document(person, call.base_url)
        return Reply(200, {**said, "collections": sorted({record["collection"] for record in records})})

    @route("POST", "/xrpc/com.atproto.repo.uploadBlob")
    async def upload_blob(self, call: Call) -> Reply:
        person = self.sessions.person(call)
        kind = call.headers.get("content-type", "").partition(";")[0].strip()
        if not kind:
            raise refuse(400, message="Request encoding (Content-Type) required but not provided")
        if len(call.body) > BLOB_LIMIT:
            raise refuse(413)
        return Reply(200, {"blob": self._repo(person).upload(call.body, kind)})

    @route("GET", "/xrpc/com.atproto.sync.getBlob")
    async def get_blob(self, call: Call) -> Reply:
        asked = params_of(call)
        return self._file(asked["did"], asked["cid"]) or refusal(400, message="Blob not found")

    @route("GET", "/img/{size}/plain/{did}/{cid}")
    async def picture(self, call: Call) -> Reply:
        return self._file(call.params["did"], call.params["cid"]) or Reply(404, "Image not found")

    # The reader's side: app.bsky

    @route("GET", "/xrpc/app.bsky.actor.getProfile")
    async def get_profile(self, call: Call) -> Reply:
        self.sessions.person(call)
        return Reply(200, Views(self.world, call.base_url).detailed(self._actor(params_of(call))))

    @route("GET", "/xrpc/app.bsky.feed.getPosts")
    async def get_posts(self, call: Call) -> Reply:
        self.sessions.person(call)
        found = [self._post(uri) for uri in params_of(call)["uris"]]
        views = Views(self.world, call.base_url)
        return Reply(200, {"posts": [views.post(record) for record in found if record]})

    @route("GET", "/xrpc/app.bsky.feed.getPostThread")
    async def get_post_thread(self, call: Call) -> Reply:
        self.sessions.person(call)
        asked = params_of(call)
        record = self._post(asked["uri"])
        if record is None:
            raise refuse(400, "NotFound", f"Post not found: {asked['uri']}")
        views = Views(self.world, call.base_url)
        return Reply(
            200, {"thread": views.thread(record, asked.get("depth", 6), asked.get("parentHeight", 80))}
        )

    @route("GET", "/xrpc/app.bsky.feed.getAuthorFeed")
    async def get_author_feed(self, call: Call) -> Reply:
        self.sessions.person(call)
        asked = params_of(call)
        views = Views(self.world, call.base_url)
        records = views.feed(self._actor(asked), asked.get("filter", "posts_with_replies"))
        rest = _after(records, asked.get("cursor"), backwards=False)
        page = rest[: asked.get("limit", 50)]
        more = {"cursor": page[-1]["rkey"]} if len(rest) > len(page) else {}
        return Reply(200, {"feed": [views.feed_item(record) for record in page], **more})

    # The sandbox

    def person_created(self, person: Thing) -> None:
        self.world.update("people", person["id"], **people.identity_of(person))

    def happening(self, kind: str, body: dict[str, Any]) -> Thing:
        """A comment is a reply in the follower's own repository; a mention a post there, with `to` in it."""
        if kind == "review":
            raise BadControl("happening", "this network has no reviews")
        if kind == "message":
            return super().happening(kind, {**body, "on": None})
        value = self._comment(body) if kind == "comment" else self._mention(body)
        value = {"$type": POST, "createdAt": wire_time(self.clock), **value}
        repo = self._repo(self.somebody(body.get("from")))
        write = repo.prepare("create", POST, None, value, validate=None, path="$.record")
        repo.apply([write])
        return self.world.update("records", repo.uri(POST, write.key), emitted=kind)

    def export(self) -> dict[str, list[Thing]]:
        """Posts by at:// address, with the record key as `idempotency_key`; a reply is a comment, no post."""
        return {**super().export(), **seen.by_kind(self.world.all("records", collection=POST))}

    def fault(self, kind: str, params: dict[str, Any], call: Call) -> Reply:
        if kind == "throttle":
            reply = refusal(429)
            reply.headers["Retry-After"] = str(params["retry_after"])
            return reply
        if kind == "expire_token":
            self.sessions.expire(call)
            return refusal(400, "ExpiredToken", "Token has expired")
        if kind == "revoke":
            self.sessions.revoke(call)
            refreshing = nsid_of(call).endswith("refreshSession")
            sentence = "Token has been revoked" if refreshing else "Token has expired"
            return refusal(400, "ExpiredToken", sentence)
        reply = super().fault(kind, params, call)
        if kind == "refuse":
            usual: Thing = refusal(reply.status, message=params["entry"].get("say")).body
            reply.body = {**usual, **reply.body}
            if reply.status == 429:
                reply.headers["Retry-After"] = str(params.get("retry_after", 30))
        return reply

    def answered(self, call: Call, reply: Reply) -> Reply:
        window = int(self.clock.now().timestamp()) // WINDOW
        self.counted = (window, self.counted[1] + 1 if self.counted[0] == window else 1)
        left = 0 if reply.status == 429 else max(BUDGET - self.counted[1], 1)
        reply.headers |= {
            "Access-Control-Allow-Origin": "*",
            "RateLimit-Limit": str(BUDGET),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str((window + 1) * WINDOW),
            "RateLimit-Policy": f"{BUDGET};w={WINDOW}",
        }
        return reply

    def not_found(self, call: Call) -> Reply:
        nsid = nsid_of(call)
        if not call.path.startswith("/xrpc/"):
            return Reply(
                404, f"<!DOCTYPE html><title>Error</title><pre>Cannot {call.method} {call.path}</pre>"
            )
        for made in self.routes:
            if made.pattern == call.path:
                sentence = f"Incorrect HTTP method ({call.method}) expected {made.method}"
                return refusal(400, message=sentence)
        return refusal(400, message=f"No service configured for {nsid}")

    def bad_json(self, call: Call, broken: BadJson) -> Reply:
        return refusal(400, "SyntaxError", str(broken))

    def broken(self, call: Call) -> Reply:
        return refusal(500)

    # Small things

    def _repo(self, person: Thing) -> Repo:
        return Repo(self.world, self.clock, person)

    def _own_repo(self, call: Call) -> tuple[Repo, dict[str, Any]]:
        caller = self.sessions.person(call)
        body = body_of(call)
        owner = people.find(self.world, body["repo"])
        if owner is None:
            raise refuse(403, "AccountNotFound", "Account not found")
        if owner["did"] != caller["did"]:
            raise refuse(401)
        return self._repo(owner), body

    def _actor(self, asked: dict[str, Any]) -> Thing:
        person = people.find(self.world, asked["actor"])
        if person is None:
            raise refuse(400, message="Profile not found")
        return person

    def _post(self, uri: str) -> Thing | None:
        authority, _, rest = uri.removeprefix("at://").partition("/")
        person = people.find(self.world, authority)
        record = self.world.get("records", f"at://{person['did']}/{rest}") if person else None
        return record if record and record["collection"] == POST else None

    def _session(self, person: Thing, call: Call) -> Thing:
        said = {"did": person["did"], "handle": person["handle"], "email": person["email"]}
        document = people.document(person, call.base_url)
        return {**said, "emailConfirmed": True, "active": True, "didDoc": document}

    def _file(self, did: str, cid: str) -> Reply | None:
        kept = self.world.get("media", f"{did}/{cid}")
        data = self.world.get_bytes(f"{did}/{cid}")
        return Reply(200, data, {"content-type": kept["mime"]}) if kept and data is not None else None

    def _comment(self, body: dict[str, Any]) -> Thing:
        parent = self._post(body.get("on") or "")
        if parent is None:
            raise BadControl("on", f"there is no post {body.get('on')!r}; a post's id is its at:// address")
        return seen.reply(parent, body["text"])

    def _mention(self, body: dict[str, Any]) -> Thing:
        whom = self.world.one("people", username=body.get("to", "demo"))
        if whom is None:
            raise BadControl("to", f"there is no person {body['to']!r}")
        return seen.mention(whom, body["text"])


def _prepared(repo: Repo, action: str, body: dict[str, Any], path: str = "$.record") -> Write:
    return repo.prepare(
        action, body["collection"], body.get("rkey"), body["record"], body.get("validate"), path
    )


def _check_swap(repo: Repo, write: Write, body: dict[str, Any]) -> None:
    if "swapRecord" in body:
        repo.must_be_at(write, body["swapRecord"])


def _written(repo: Repo, write: Write) -> Thing:
    said = {"uri": repo.uri(write.collection, write.key), "cid": write.cid}
    return {**said, "validationStatus": write.validation} if write.validation else said


def _as_read(record: Thing) -> Thing:
    return {"uri": record["id"], "cid": record["cid"], "value": record["value"]}


def _after(records: list[Thing], cursor: str | None, backwards: bool) -> list[Thing]:
    if cursor is None:
        return records
    return [r for r in records if (r["rkey"] > cursor if backwards else r["rkey"] < cursor)]
