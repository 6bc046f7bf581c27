"""Photos, videos, reels and stories at the stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
import pytest


@pytest.fixture
def files(stand: Any) -> Iterator[str]:
    """A web server with `/a.png`, `/a.mp4`; everything else is 404."""
    held = {"/a.png": stand.png, "/a.mp4": stand.mp4}

    class Serve(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = held.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *said: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Serve)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def held_videos(stand: Any) -> Iterator[None]:
    """Videos stay in processing until somebody moves them."""
    stand.control("facebook/pace", thing="video", then="held")
    yield
    stand.control("facebook/advance")
    stand.control("facebook/pace", thing="video", then="at_once")


def video_status(graph: Any, video: str) -> str:
    return graph.get(video, fields="status")["status"]["video_status"]


def test_a_photo_is_fetched_from_its_url(graph: Any, files: str) -> None:
    made = graph.post(
        f"{graph.page_id}/photos", url=f"{files}/a.png", caption="Bread", alt_text_custom="A loaf"
    )
    [post] = graph.seen()
    assert (post["id"], post["text"]) == (made["post_id"], "Bread")
    assert post["media"][0]["alt_text"] == "A loaf"
    photo = graph.get(made["id"], fields="name,picture,alt_text_custom")
    assert (photo["name"], photo["alt_text_custom"]) == ("Bread", "A loaf")
    assert graph.stand.http.get(photo["picture"]).content == graph.stand.png


@pytest.mark.parametrize("address", ["/missing.png", "/a.mp4"])
def test_a_url_without_a_photo_is_refused(graph: Any, files: str, address: str) -> None:
    refused = graph.refused("POST", f"{graph.page_id}/photos", data={"url": files + address})
    assert (refused["code"], refused.get("error_subcode")) == (
        (389, None) if "png" in address else (100, 1366046)
    )
    assert graph.seen() == []


def test_a_file_that_is_no_photo_is_refused(graph: Any) -> None:
    part = {"source": ("a.png", b"not a picture", "image/png")}
    refused = graph.refused("POST", f"{graph.page_id}/photos", files=part)
    assert (refused["code"], refused["error_subcode"]) == (100, 1366046)
    assert refused["error_user_title"]
    assert graph.refused("POST", f"{graph.page_id}/photos", data={"caption": "none"})["code"] == 324


def test_photos_kept_back_are_no_post_until_one_shows_them(graph: Any) -> None:
    photos = [graph.photo(published="false", temporary="true")["id"] for _ in range(2)]
    assert graph.seen() == []
    assert graph.get(f"{graph.page_id}/feed") == {"data": []}
    attached = ",".join(f'{{"media_fbid":"{photo}"}}' for photo in photos)
    post = graph.write("Both", attached_media=f"[{attached}]")
    [shown] = graph.get(post, fields="attachments{media_type,subattachments{target{id}}}")["attachments"][
        "data"
    ]
    assert shown["media_type"] == "album"
    assert [part["target"]["id"] for part in shown["subattachments"]["data"]] == photos
    again = graph.refused("POST", f"{graph.page_id}/feed", data={"attached_media": f"[{attached}]"})
    assert again["error_subcode"] == 1366051


def test_a_single_photo_names_its_target(graph: Any) -> None:
    made = graph.photo(caption="One")
    fields = "attachments{media_type,target},status_type,full_picture"
    read = graph.get(made["post_id"], fields=fields)
    [shown] = read["attachments"]["data"]
    assert (shown["media_type"], shown["target"]["id"]) == ("photo", made["id"])
    assert read["status_type"] == "added_photos"
    assert graph.get(f"{made['post_id']}/attachments")["data"][0]["target"]["id"] == made["id"]


def test_a_photo_and_its_post_share_their_comments(graph: Any) -> None:
    made = graph.photo()
    graph.comment(made["post_id"], "on the post")
    graph.comment(made["id"], "on the photo")
    graph.post(f"{made['id']}/likes")
    rows = graph.get(f"{made['id']}/comments")["data"]
    assert [row["message"] for row in rows] == ["on the post", "on the photo"]
    assert graph.get(made["post_id"], fields="likes{id}")["likes"]["data"] == [{"id": graph.page_id}]


def test_deleting_a_photo_takes_its_own_post_along(graph: Any) -> None:
    made = graph.photo()
    assert graph.delete(made["id"]) == {"success": True}
    assert graph.seen() == []
    pair = [graph.photo(published="false")["id"] for _ in range(2)]
    form = {f"attached_media[{n}][media_fbid]": photo for n, photo in enumerate(pair)}
    graph.write("Pair", **form)
    graph.delete(pair[0])
    assert [item["id"] for item in graph.seen()[0]["media"]] == [pair[1]]


def test_a_video_is_fetched_from_its_url_and_answers_with_fields(graph: Any, files: str) -> None:
    body = {"file_url": f"{files}/a.mp4", "description": "Kneading", "published": True}
    url = f"{graph.stand.base}/v20.0/{graph.page_id}/videos"
    params = {"access_token": graph.token, "fields": "id,permalink_url"}
    made = graph.stand.http.post(url, params=params, json=body).json()
    assert made["permalink_url"].startswith("http")
    [post] = graph.seen()
    assert (post["text"], post["media"][0]["id"]) == ("Kneading", made["id"])
    refused = graph.refused("POST", f"{graph.page_id}/videos", data={"file_url": f"{files}/none.mp4"})
    assert refused["code"] == 389


@pytest.mark.parametrize(("data", "code"), [(b"", 382), (b"text that is no video", 6000)])
def test_a_file_that_is_no_video_is_refused(graph: Any, data: bytes, code: int) -> None:
    part = {"source": ("a.mp4", data, "video/mp4")}
    assert graph.refused("POST", f"{graph.page_id}/videos", files=part)["code"] == code
    assert graph.seen() == []


def test_a_video_in_processing_is_no_post_yet(graph: Any, held_videos: None) -> None:
    video = graph.video(description="Slow")
    assert video_status(graph, video) == "processing"
    assert graph.seen() == []
    read = graph.get(video, fields="post_id,published")
    assert read == {"published": False, "id": video}
    assert graph.stand.control("facebook/advance", thing="video", to="ready") == {"moved": 1}
    assert video_status(graph, video) == "ready"
    read = graph.get(video, fields="post_id,published")
    assert read["published"] is True
    assert [post["id"] for post in graph.seen()] == [f"{graph.page_id}_{read['post_id']}"]


def test_a_video_that_cannot_be_processed_never_shows(graph: Any, held_videos: None) -> None:
    video = graph.video()
    graph.stand.control("facebook/advance", thing="video", to="error")
    status = graph.get(video, fields="status")["status"]
    assert (status["video_status"], status["processing_phase"]["status"]) == ("error", "error")
    assert graph.seen() == []


def test_an_unpublished_video_is_no_post_until_it_is_published(graph: Any) -> None:
    video = graph.video(published="false")
    assert graph.seen() == []
    graph.post(video, published="true")
    assert len(graph.seen()) == 1
    assert graph.get(video, fields="published")["published"] is True


def test_deleting_a_video_takes_its_post_along(graph: Any, held_videos: None) -> None:
    waiting = graph.video()
    graph.delete(waiting)
    gone = graph.video()
    graph.stand.control("facebook/advance")
    assert len(graph.seen()) == 1
    assert graph.delete(gone) == {"success": True}
    assert graph.seen() == []
    assert graph.refused("GET", gone)["error_subcode"] == 33


def send(graph: Any, session: str, start: int, data: bytes) -> httpx2.Response:
    form = {"upload_phase": "transfer", "upload_session_id": session, "start_offset": str(start)}
    part = {"video_file_chunk": ("chunk", data, "application/octet-stream")}
    return graph.call("POST", f"{graph.page_id}/videos", data=form, files=part)


def test_a_video_in_chunks_shows_only_after_finish(graph: Any) -> None:
    edge, data = f"{graph.page_id}/videos", graph.stand.mp4 * 3000
    begun = graph.post(edge, upload_phase="start", file_size=len(data))
    start, end = int(begun["start_offset"]), int(begun["end_offset"])
    assert (start, end) == (0, 4 * 1024 * 1024)
    session = begun["upload_session_id"]
    early = graph.refused("POST", edge, data={"upload_phase": "finish", "upload_session_id": session})
    assert early["code"] == 6000
    while start != end:
        told = send(graph, session, start, data[start:end]).json()
        start, end = int(told["start_offset"]), int(told["end_offset"])
    assert start == len(data)
    assert graph.seen() == []
    finish = {"upload_phase": "finish", "upload_session_id": session, "description": "All of it"}
    assert graph.post(edge, **finish) == {"success": True}
    assert [post["text"] for post in graph.seen()] == ["All of it"]
    assert graph.refused("POST", edge, data=finish)["code"] == 6001


def test_a_chunk_from_the_wrong_place_is_told_the_right_one(graph: Any) -> None:
    data = graph.stand.mp4
    begun = graph.post(f"{graph.page_id}/videos", upload_phase="start", file_size=len(data))
    send(graph, begun["upload_session_id"], 0, data[:100])
    error = send(graph, begun["upload_session_id"], 0, data[:100]).json()["error"]
    assert (error["code"], error["error_subcode"]) == (6001, 1363037)
    assert error["error_data"] == {"start_offset": "100", "end_offset": str(len(data))}


def test_an_upload_can_be_cancelled(graph: Any) -> None:
    edge = f"{graph.page_id}/videos"
    begun = graph.post(edge, upload_phase="start", file_size=10)
    session = {"upload_session_id": begun["upload_session_id"]}
    assert graph.post(edge, upload_phase="cancel", **session) == {"success": True}
    assert graph.refused("GET", begun["video_id"])["error_subcode"] == 33


def push(graph: Any, url: str, data: bytes = b"", **headers: str) -> httpx2.Response:
    return graph.stand.http.post(
        url, content=data, headers={"Authorization": f"OAuth {graph.token}", **headers}
    )


def test_a_reel_is_started_sent_and_finished(graph: Any) -> None:
    edge, data = f"{graph.page_id}/video_reels", graph.stand.mp4
    begun = graph.post(edge, upload_phase="start")
    size = str(len(data))
    half = push(graph, begun["upload_url"], data[:100], offset="0", file_size=size)
    assert half.json()["debug_info"]["type"] == "PartialRequestError"
    status = graph.get(begun["video_id"], fields="status")["status"]
    assert (status["video_status"], status["uploading_phase"]["bytes_transferred"]) == ("uploading", 100)
    wrong = push(graph, begun["upload_url"], data[50:], offset="50", file_size=size)
    assert wrong.json()["debug_info"] | {"message": ""} == {
        "retriable": True, "type": "OffsetInvalidError", "message": "",
    }  # fmt: skip
    assert push(graph, begun["upload_url"], data[100:], offset="100", file_size=size).json() == {
        "success": True
    }
    assert video_status(graph, begun["video_id"]) == "upload_complete"
    assert graph.seen() == []
    finish = {"upload_phase": "finish", "video_id": begun["video_id"], "video_state": "PUBLISHED"}
    done = graph.post(edge, **finish, description="Reel")
    assert done["success"] is True
    assert [(post["text"], post["format"]) for post in graph.seen()] == [("Reel", "reel")]
    assert [row["id"] for row in graph.get(edge)["data"]] == [begun["video_id"]]
    assert graph.refused("POST", edge, data=finish)["code"] == 100


def test_a_reel_can_come_from_a_url_and_stay_a_draft(graph: Any, files: str) -> None:
    edge = f"{graph.page_id}/video_reels"
    begun = graph.post(edge, upload_phase="start")
    assert push(graph, begun["upload_url"], file_url=f"{files}/none.mp4").status_code == 400
    assert push(graph, begun["upload_url"], file_url=f"{files}/a.mp4").json() == {"success": True}
    graph.post(edge, upload_phase="finish", video_id=begun["video_id"], video_state="DRAFT")
    publishing = graph.get(begun["video_id"], fields="status")["status"]["publishing_phase"]
    assert publishing["publish_status"] == "draft"
    assert graph.seen() == []


def test_an_upload_address_takes_the_page_s_own_token(graph: Any) -> None:
    begun = graph.post(f"{graph.page_id}/video_reels", upload_phase="start")
    answer = graph.stand.http.post(begun["upload_url"], headers={"Authorization": "OAuth nonsense"})
    assert (answer.status_code, answer.json()["debug_info"]["retriable"]) == (401, False)


def test_stories_live_for_a_day_and_stay_out_of_the_feed(graph: Any) -> None:
    photo = graph.photo(published="false")["id"]
    made = graph.post(f"{graph.page_id}/photo_stories", photo_id=photo)
    begun = graph.post(f"{graph.page_id}/video_stories", upload_phase="start")
    push(graph, begun["upload_url"], graph.stand.mp4, offset="0", file_size=str(len(graph.stand.mp4)))
    finish = {"upload_phase": "finish", "video_id": begun["video_id"]}
    second = graph.post(f"{graph.page_id}/video_stories", **finish)
    stories = graph.get(f"{graph.page_id}/stories", status="PUBLISHED")["data"]
    assert {row["post_id"]: row["media_type"] for row in stories} == {
        made["post_id"]: "photo",
        second["post_id"]: "video",
    }
    assert graph.get(f"{graph.page_id}/feed") == {"data": []}
    assert len(graph.seen()) == 2
    assert graph.refused("POST", f"{graph.page_id}/photo_stories", data={"photo_id": photo})["code"] == 100
    graph.stand.control("clock", advance_seconds=25 * 60 * 60)
    assert graph.get(f"{graph.page_id}/stories", status="PUBLISHED") == {"data": []}
    assert len(graph.get(f"{graph.page_id}/stories", status="ARCHIVED")["data"]) == 2
