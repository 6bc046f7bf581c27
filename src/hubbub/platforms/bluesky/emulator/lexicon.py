"""What a record and a call's input must look like: the published lexicons, as far as the stand-in knows them.

https://docs.bsky.app/docs/advanced-guides/posts and the lexicons inside @atproto/pds 0.5.35.
"""

from __future__ import annotations

from hubbub.platforms.bluesky.emulator.checks import (
    Blob,
    Fields,
    Many,
    OneOf,
    Shape,
    Text,
    Whole,
    an_object,
    anything,
    yes_or_no,
)

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
REPOST = "app.bsky.feed.repost"
FOLLOW = "app.bsky.graph.follow"
PROFILE = "app.bsky.actor.profile"

DATETIME = Text(format="datetime")
REF = Fields({"uri": Text(format="at-uri"), "cid": Text(format="cid")})
RATIO = Fields({"width": Whole(1), "height": Whole(1)})
IMAGE = Blob(("image/*",), 2_000_000)

FACET = Fields(
    {
        "index": Fields({"byteStart": Whole(0), "byteEnd": Whole(0)}),
        "features": Many(
            OneOf(
                {
                    "app.bsky.richtext.facet#mention": Fields({"did": Text(format="did")}),
                    "app.bsky.richtext.facet#link": Fields({"uri": Text(format="uri")}),
                    "app.bsky.richtext.facet#tag": Fields({"tag": Text(640, 64)}),
                }
            )
        ),
    }
)
IMAGES = Fields({"images": Many(Fields({"image": IMAGE, "alt": Text()}, {"aspectRatio": RATIO}), 4)})
GALLERY_IMAGE = Fields({"image": IMAGE, "alt": Text(), "aspectRatio": RATIO})
GALLERY = Fields({"items": Many(OneOf({"app.bsky.embed.gallery#image": GALLERY_IMAGE}), 20)})
CAPTION = Fields({"lang": Text(format="language"), "file": Blob(("text/vtt",), 20_000)})
VIDEO = Fields(
    {"video": Blob(("video/mp4",), 300_000_000)},
    {"captions": Many(CAPTION, 20), "alt": Text(10_000, 1000), "aspectRatio": RATIO},
)
CARD = Fields(
    {"uri": Text(format="uri"), "title": Text(), "description": Text()},
    {"thumb": Blob(("image/*",), 1_000_000)},
)
EXTERNAL = Fields({"external": CARD})
QUOTE = Fields({"record": REF})
MEDIA: dict[str, Shape] = {
    "app.bsky.embed.images": IMAGES,
    "app.bsky.embed.video": VIDEO,
    "app.bsky.embed.gallery": GALLERY,
    "app.bsky.embed.external": EXTERNAL,
}
EMBED = OneOf(
    {
        **MEDIA,
        "app.bsky.embed.record": QUOTE,
        "app.bsky.embed.recordWithMedia": Fields({"record": QUOTE, "media": OneOf(MEDIA)}),
    }
)
ACTED_ON = Fields({"subject": REF, "createdAt": DATETIME})

RECORDS: dict[str, Shape] = {
    POST: Fields(
        {"text": Text(3000, 300), "createdAt": DATETIME},
        {
            "facets": Many(FACET),
            "reply": Fields({"root": REF, "parent": REF}),
            "embed": EMBED,
            "langs": Many(Text(format="language"), 3),
            "tags": Many(Text(640, 64), 8),
        },
        order=("text", "facets", "reply", "embed", "langs", "tags", "createdAt"),
    ),
    LIKE: ACTED_ON,
    REPOST: ACTED_ON,
    FOLLOW: Fields({"subject": Text(format="did"), "createdAt": DATETIME}),
    PROFILE: Fields(
        optional={
            "displayName": Text(640, 64),
            "description": Text(2560, 256),
            "avatar": Blob(("image/png", "image/jpeg"), 1_000_000),
            "banner": Blob(("image/png", "image/jpeg"), 1_000_000),
        }
    ),
    "app.bsky.feed.threadgate": Fields(
        {"post": Text(format="at-uri"), "createdAt": DATETIME},
        {"allow": Many(anything, 5), "hiddenReplies": Many(Text(format="at-uri"), 300)},
    ),
}
LITERAL_KEYS = {PROFILE: "self"}

REPO = Text(format="at-identifier")
COLLECTION = Text(format="nsid")
KEY = Text(format="record-key")
CID = Text(format="cid")


def nothing_or_cid(value: object, path: str) -> None:
    if value is not None:
        CID(value, path)


WRITE: dict[str, Shape] = {"repo": REPO, "collection": COLLECTION}
SWAP: dict[str, Shape] = {"swapCommit": CID, "validate": yes_or_no}
WRITES = "com.atproto.repo.applyWrites"
ORDER = ("repo", "collection", "rkey", "validate", "record", "swapRecord", "swapCommit")

INPUTS: dict[str, Shape] = {
    "com.atproto.server.createSession": Fields({"identifier": Text(), "password": Text()}),
    "com.atproto.repo.createRecord": Fields(
        {**WRITE, "record": an_object}, {"rkey": KEY, **SWAP}, ORDER[:5] + ORDER[6:]
    ),
    "com.atproto.repo.putRecord": Fields(
        {**WRITE, "rkey": KEY, "record": an_object}, {"swapRecord": nothing_or_cid, **SWAP}, ORDER
    ),
    "com.atproto.repo.deleteRecord": Fields({**WRITE, "rkey": KEY}, {"swapRecord": CID, "swapCommit": CID}),
    WRITES: Fields(
        {
            "repo": REPO,
            "writes": Many(
                OneOf(
                    {
                        f"{WRITES}#create": Fields(
                            {"collection": COLLECTION, "value": an_object}, {"rkey": KEY}
                        ),
                        f"{WRITES}#update": Fields(
                            {"collection": COLLECTION, "rkey": KEY, "value": an_object}
                        ),
                        f"{WRITES}#delete": Fields({"collection": COLLECTION, "rkey": KEY}),
                    }
                )
            ),
        },
        SWAP,
    ),
}

LIMIT = Whole(1, 100)
PARAMS: dict[str, Fields] = {
    "com.atproto.identity.resolveHandle": Fields({"handle": Text(format="handle")}),
    "com.atproto.repo.getRecord": Fields({**WRITE, "rkey": KEY}, {"cid": CID}),
    "com.atproto.repo.listRecords": Fields(WRITE, {"limit": LIMIT, "cursor": Text()}),
    "com.atproto.repo.describeRepo": Fields({"repo": REPO}),
    "com.atproto.sync.getBlob": Fields({"did": Text(format="did"), "cid": CID}),
    "app.bsky.actor.getProfile": Fields({"actor": REPO}),
    "app.bsky.feed.getPosts": Fields({"uris": Many(Text(format="at-uri"), 25)}),
    "app.bsky.feed.getPostThread": Fields(
        {"uri": Text(format="at-uri")}, {"depth": Whole(0, 1000), "parentHeight": Whole(0, 1000)}
    ),
    "app.bsky.feed.getAuthorFeed": Fields(
        {"actor": REPO}, {"limit": LIMIT, "cursor": Text(), "filter": Text()}
    ),
}
