"""How fast matching is, against everything its users could use instead.

Two workloads, each at several numbers of rules, on the same posts:

    phrases   each rule is one phrase of one to four words, the way most of what people
              track is; found as whole words, in any case, whatever stands between them
    rules     words in any order, phrases without others, alternatives, hashtags and
              mentions, a few languages and authors (`_rules.Writer` says how many)

Posts are tweets of TweetEval, CrisisLex and XLM-T. Terms are what people tracked and the
names they gave things: the keywords of CrisisLex's events and its lexicon, the lists of
Corpora (but for those of plain words), companies on NASDAQ, LDNOOBW; those that alone
stand in more than 0.5 % of the posts are left out. There are 57,000 of them. More are made
by variation: a word of another term is put behind one, or takes the place of its last one.
All of it is random in the same way each time. Without ROOKERY_DATA, posts and terms are
made up.

Each side runs in a process of its own, with its own memory. It is built, and what it finds
is compared with what the phrase table or the matcher finds: pairs of post and rule, and
places where the side tells them. What differs ends the run. Then all take turns, and the
median of their rounds counts. Sides with one thread are measured by the time of the
processor, so that a busy machine disturbs them little; those with several by the clock.
A side that takes too long is given up, with the reason in the table; one that is slow
goes through the first posts only.

All sides get posts in batches, in the form they like best: Python's strings or Arrow. What
each does to find them is in `_python`, `_ahocorasick`, `_hyperscan` and `_filtered`.
"""

__all__: list[str] = []
