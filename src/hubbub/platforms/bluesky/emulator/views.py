"""What readers see: profiles, posts with their numbers, threads and feeds. https://docs.bsky.app/docs/api/"""

from __future__ import annotations

from hubbub.emulation.emulator import Thing, World
from hubbub.platforms.bluesky.emulator.lexicon import FOLLOW, LIKE, POST, PROFILE, REPOST

# Where a post says what it quotes: alone, and beside pictures.
QUOTED = ("embed.record.uri", "embed.record.record.uri")


class Views:
    """Reads one world; `base_url` is where its pictures are served."""

    def __init__(self, world: World, base_url: str) -> None:
        self.world = world
        self.base_url = base_url

    def basic(self, person: Thing) -> Thing:
        """A person beside a post."""
        profile = self._profile(person)
        view = {"did": person["did"], "handle": person["handle"], "labels": []}
        view |= {"displayName": profile.get("displayName", person["name"]), "createdAt": person["created_at"]}
        if "avatar" in profile:
            view["avatar"] = self._picture("avatar", person["did"], profile["avatar"])
        return view

    def detailed(self, person: Thing) -> Thing:
        """A person's own page."""
        posts = self.world.count("records", did=person["did"], collection=POST)
        follows = self.world.count("records", did=person["did"], collection=FOLLOW)
        followers = self._count(FOLLOW, "subject", person["did"])
        numbers = {"postsCount": posts, "followsCount": follows, "followersCount": followers}
        description = self._profile(person).get("description", "")
        return {
            **self.basic(person),
            **numbers,
            "description": description,
            "indexedAt": person["created_at"],
        }

    def post(self, record: Thing) -> Thing:
        """One post: its record as written, its embed made ready to show, its numbers."""
        uri = record["id"]
        person = self.world.one("people", did=record["did"])
        assert person is not None
        view: Thing = {
            "uri": uri,
            "cid": record["cid"],
            "author": self.basic(person),
            "record": record["value"],
            "replyCount": self._count(POST, "reply.parent.uri", uri),
            "repostCount": self._count(REPOST, "subject.uri", uri),
            "likeCount": self._count(LIKE, "subject.uri", uri),
            "quoteCount": sum(self._count(POST, where, uri) for where in QUOTED),
            "bookmarkCount": 0,
            "indexedAt": record["indexed_at"],
            "labels": [],
        }
        embed = self._embed(record["value"].get("embed"), record["did"])
        return {**view, "embed": embed} if embed else view

    def thread(self, record: Thing, down: int, up: int) -> Thing:
        """A post with `down` levels of replies below and `up` posts above it."""
        view: Thing = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self.post(record)}
        parent = record["value"].get("reply", {}).get("parent", {}).get("uri")
        if up > 0 and parent is not None:
            above = self.world.get("records", parent)
            view["parent"] = self.thread(above, 0, up - 1) if above else _not_found(parent)
        if down > 0:
            view["replies"] = [self.thread(reply, down - 1, 0) for reply in self._replies(record["id"])]
        return view

    def feed(self, person: Thing, kind: str) -> list[Thing]:
        """A person's posts, newest first; `kind` is the call's `filter`."""
        records = self.world.all("records", did=person["did"], collection=POST)
        if kind == "posts_no_replies":
            records = [r for r in records if "reply" not in r["value"]]
        if kind == "posts_with_media":
            records = [r for r in records if "embed" in r["value"]]
        records.sort(key=lambda record: record["rkey"], reverse=True)
        return records

    def feed_item(self, record: Thing) -> Thing:
        """A post in a feed, with what it answers."""
        item: Thing = {"post": self.post(record)}
        if "reply" in record["value"]:
            item["reply"] = {
                which: self._post_or_gone(record["value"]["reply"][which]["uri"])
                for which in ("root", "parent")
            }
        return item

    def _post_or_gone(self, uri: str) -> Thing:
        record = self.world.get("records", uri)
        if record is None:
            return _not_found(uri)
        return {"$type": "app.bsky.feed.defs#postView", **self.post(record)}

    def _replies(self, uri: str) -> list[Thing]:
        return self.world.all("records", **{"collection": POST, "value.reply.parent.uri": uri})

    def _count(self, collection: str, where: str, wanted: str) -> int:
        return self.world.count("records", **{"collection": collection, f"value.{where}": wanted})

    def _profile(self, person: Thing) -> Thing:
        record = self.world.get("records", f"at://{person['did']}/{PROFILE}/self")
        return record["value"] if record else {}

    def _picture(self, size: str, did: str, blob: Thing) -> str:
        return f"{self.base_url}/img/{size}/plain/{did}/{blob['ref']['$link']}"

    def _embed(self, embed: Thing | None, did: str) -> Thing | None:
        kind = (embed or {}).get("$type", "").removeprefix("app.bsky.embed.")
        make = {
            "images": self._images,
            "external": self._external,
            "video": self._video,
            "record": self._record,
            "recordWithMedia": self._record_with_media,
        }.get(kind)
        if embed is None or make is None:
            return None
        return {"$type": f"app.bsky.embed.{kind}#view", **make(embed, did)}

    def _images(self, embed: Thing, did: str) -> Thing:
        shown: list[Thing] = []
        for image in embed["images"]:
            view = {
                size: self._picture(f"feed_{size}", did, image["image"]) for size in ("fullsize", "thumb")
            }
            ratio = {"aspectRatio": image["aspectRatio"]} if "aspectRatio" in image else {}
            shown.append({**view, "alt": image["alt"], **ratio})
        return {"images": shown}

    def _external(self, embed: Thing, did: str) -> Thing:
        card = dict(embed["external"])
        if "thumb" in card:
            card["thumb"] = self._picture("feed_thumb", did, card["thumb"])
        return {"external": card}

    def _video(self, embed: Thing, did: str) -> Thing:
        cid = embed["video"]["ref"]["$link"]
        extra = {name: embed[name] for name in ("alt", "aspectRatio") if name in embed}
        return {"cid": cid, "playlist": f"{self.base_url}/video/{did}/{cid}/playlist.m3u8", **extra}

    def _record(self, embed: Thing, did: str) -> Thing:
        uri = embed["record"]["uri"]
        record = self.world.get("records", uri)
        if record is None or record["collection"] != POST:
            gone = {"$type": "app.bsky.embed.record#viewNotFound", "uri": uri, "notFound": True}
            return {"record": gone}
        person = self.world.one("people", did=record["did"])
        assert person is not None
        seen: Thing = {
            "uri": uri,
            "cid": record["cid"],
            "author": self.basic(person),
            "value": record["value"],
        }
        seen |= {"$type": "app.bsky.embed.record#viewRecord", "indexedAt": record["indexed_at"]}
        return {"record": seen}

    def _record_with_media(self, embed: Thing, did: str) -> Thing:
        quoted = {"$type": "app.bsky.embed.record#view", **self._record(embed["record"], did)}
        return {"record": quoted, "media": self._embed(embed["media"], did)}


def _not_found(uri: str) -> Thing:
    return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
