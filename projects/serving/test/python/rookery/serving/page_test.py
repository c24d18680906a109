"""The page in a browser: what it shows, that it stays live, and what it does not run."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, async_playwright, expect

from rookery.service.testing import require
from rookery.serving.testing import Feed, made_up, post, ready, served

pytestmark = [pytest.mark.integration, pytest.mark.asyncio, pytest.mark.timeout(240)]

ATTACK = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> wildfire'
)


@asynccontextmanager
async def opened(
    feed: Feed, query: str = "", *, wait: bool = True
) -> AsyncIterator[Page]:
    """The page of a serving process over a platform, in a browser."""
    browser = require("chromium")
    async with served(feed) as (client, _), async_playwright() as playwright:
        if wait:
            await ready(client)
        chromium = await playwright.chromium.launch(
            executable_path=browser,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-gpu",
            ],
        )
        page = await chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(30_000)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda said: problems.append(said.text) if said.type == "error" else None,
        )
        await page.goto(f"{client.base_url}/{query}")
        yield page
        assert not problems
        await chromium.close()


async def shows(page: Page, name: str, text: str) -> None:
    await expect(page.get_by_test_id(name)).to_contain_text(text, timeout=30_000)


async def test_counts_and_posts_follow_the_stream(feed: Feed) -> None:
    now = datetime.now(UTC)
    await feed.publish([post(1, now, "Wildfire & smoke", author_name="Ada")])
    async with opened(feed) as page:
        await shows(page, "matched", "1")
        first = page.locator(".rk-post").first
        await expect(first.locator("mark")).to_have_text("Wildfire")
        await expect(first.locator(".rk-text")).to_have_text("Wildfire & smoke")
        await expect(page.locator('[data-rule="fire"]')).to_contain_text("1")

        await feed.publish([post(2, now, "storm"), post(3, now, "wildfire, hail")])
        await shows(page, "matched", "3")
        await expect(page.locator(".rk-post")).to_have_count(3)
        await expect(page.locator('[data-rule="fire"]')).to_contain_text("2")
        await expect(page.locator(".rk-post mark")).to_have_count(4)
        feed.archive(2)
        await shows(page, "watermark", "2 of 2")
        await shows(page, "matched", "3")


async def test_markup_in_a_post_is_text(feed: Feed) -> None:
    now = datetime.now(UTC)
    await feed.publish(
        [
            post(
                1,
                now,
                ATTACK,
                author_name='<b onmouseover="window.hacked=1">Eve</b>',
                url="javascript:window.hacked=1",
            )
        ]
    )
    async with opened(feed) as page:
        shown = page.locator(".rk-post .rk-text")
        await expect(shown).to_have_text(ATTACK)
        await expect(shown.locator("mark")).to_have_text("wildfire")
        await expect(page.locator(".rk-post header b")).to_contain_text("<b onmouse")
        assert await page.locator(".rk-post img, .rk-post script").count() == 0
        assert await page.locator(".rk-post a").count() == 0
        assert await page.evaluate("window.hacked") is None


async def test_filters_and_search_narrow_what_is_shown(feed: Feed) -> None:
    await feed.publish(made_up(120))
    async with opened(feed) as page:
        await expect(page.locator(".rk-post")).to_have_count(50)
        await page.locator('[data-rule="coffee"]').click()
        await expect(page.locator('[data-rule="coffee"]')).to_have_class(
            "rk-rule rk-chosen"
        )
        await expect(page).to_have_url(f"{page.url.split('?')[0]}?rule=coffee")
        texts = page.locator(".rk-post .rk-text")
        await expect(texts.first).to_have_text("great espresso at the corner")
        assert set(await texts.all_text_contents()) == {"great espresso at the corner"}

        await page.get_by_role("button", name="Reset").click()
        search = page.get_by_test_id("search")
        await search.fill("ridge")
        await expect(texts.first).to_have_text("wildfire near the ridge tonight")
        await expect(page.locator("mark.rk-m16").first).to_have_text("ridge")

        await search.fill("(ridge")
        await expect(page.locator(".rk-search .q-field__messages")).not_to_be_empty()
        await search.fill("nowhere-to-be-found")
        await expect(page.locator(".rk-empty")).to_contain_text("No post passes")


async def test_nothing_moves_under_the_eyes_of_a_reader(feed: Feed) -> None:
    now = datetime.now(UTC)
    rows = [post(n, now, f"wildfire number {n}") for n in range(40)]
    await feed.publish(rows)
    async with opened(feed) as page:
        await expect(page.locator(".rk-post")).to_have_count(40)
        await page.locator(".rk-posts").evaluate("it => it.scrollTop = 600")
        before = await page.locator(".rk-posts").inner_text()
        await feed.publish([post(50, datetime.now(UTC), "wildfire, the newest")])
        waiting = page.locator(".rk-waiting")
        await expect(waiting).to_contain_text("1 new post", timeout=30_000)
        assert await page.locator(".rk-posts").inner_text() == before
        assert await page.locator(".rk-posts").evaluate("it => it.scrollTop") == 600
        await waiting.click()
        await expect(page.locator(".rk-post").first).to_contain_text("the newest")


async def test_an_address_carries_the_filters(feed: Feed) -> None:
    await feed.publish(made_up(60))
    async with opened(feed, "?rule=storm&search=hail&dark=1") as page:
        await expect(page.get_by_test_id("search")).to_have_value("hail")
        await expect(page.locator(".rk-post .rk-text").first).to_contain_text("hail")
        await expect(page.locator("body")).to_have_class("desktop no-touch body--dark")


async def test_an_empty_platform_says_what_is_missing(feed: Feed) -> None:
    async with opened(feed) as page:
        await expect(page.locator('[data-problem="no-posts"]')).to_be_visible()
        await expect(page.locator(".rk-empty")).to_contain_text("No posts yet")


async def test_the_page_has_nothing_from_elsewhere_and_fits_1000_pixels(
    feed: Feed,
) -> None:
    await feed.publish(made_up(60))
    async with opened(feed) as page:
        hosts: set[str] = set()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        await page.set_viewport_size({"width": 1000, "height": 800})
        await page.reload()
        await expect(page.locator(".rk-post").first).to_be_visible()
        assert hosts == {page.url.split("/")[2]}
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 1000


async def test_it_ends_at_once_and_well_while_a_page_is_open(feed: Feed) -> None:
    await feed.publish(made_up(20))
    browser = require("chromium")
    async with served(feed) as (client, child), async_playwright() as playwright:
        await ready(client)
        chromium = await playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await chromium.new_page()
        await page.goto(str(client.base_url))
        await expect(page.locator(".rk-post").first).to_be_visible(timeout=30_000)
        child.signal(signal.SIGTERM)
        assert await asyncio.to_thread(child.wait, timeout=15) == 0
        await chromium.close()
