"""A small world whose stories, tasks and replies are generated, so that the truth is known.

Everything is made from an explicit ``random.Random`` or a seed and is the same in every process
and Python version. Start from ``stories.stories``, ``instructions.instructions``,
``arithmetic.problems``, ``replies.reply_pairs`` and, for plain training text, ``text.text``. Each
takes ``split="train"`` or ``"held_out"`` and a difficulty; ``splits`` says what is held out.

What the figures on these tasks are read against is in ``baseline``; what a reply is truly worth,
in ``judge``.

**Grammar of the stories.** Capitals are lists in ``words`` and ``narration``; ``|`` separates
alternatives, ``[ ]`` may be left out, ``{ }`` may be repeated.

.. code-block:: text

    story     = setting, telling, feelings, [ENDING]
    setting   = opening people {people} {object}
    opening   = "One" WEATHER TIME "," | "It was a" WEATHER TIME "." | "Once upon a time,"
              | "On" DAY "," | "On a" WEATHER TIME "," | "Early on" DAY ","
    people    = NAME {"," NAME} ["and" NAME] ("was" | "were") at-place "."
    object    = NAME ("had" | "was holding" | "carried") a-thing "."
              | "There was" a-thing at-place "." | a-thing "lay" at-place "."
    a-thing   = ("a" | "an") (COLOUR THING | QUALITY FOOD)
    at-place  = ("in" | "at" | "on" | "by") "the" PLACE      (each place has its own preposition)

    telling   = sentence [aside] {sentence [aside]}
    sentence  = [join] who action ["and" action] "."         (two actions differ in kind; the
                                                              first is not a giving)
    join      = "Then" | "After that," | "Next," | "A little later," | "Soon" | "Now"
    who       = NAME | "she" | "he"        (a pronoun only for the subject of the sentence before,
                                            when that sentence named nobody else)
    action    = go | take | drop | give
    go        = ("went" | "walked" | "ran" | "hurried" | "rode") "to the" PLACE
    take      = ("picked up" | "took" | "found" | "grabbed") "the" OBJECT
    drop      = ("put down" | "dropped") "the" OBJECT
              | ("left" | "hid") "the" OBJECT (at-place | "there")   ("there" after a go)
    give      = ("gave" | "handed" | "passed") "the" OBJECT "to" NAME
              | ("gave" | "handed") NAME "the" OBJECT
    aside     = THANKS                     (only after a giving; by the one who received)
              | SCENERY | NAME PASTIME "."                   (these change nothing)
    feelings  = feeling [feeling]          (of different people, with different feelings)
    feeling   = who ("was" | "felt" | "looked") FEELING "."

**Rules of the world.** A person goes to another place than where she is, takes only what lies
where she is, puts down or gives only what she has, and gives only to somebody who is there. What
she has goes where she goes. Nobody touches the object of the event just before, or goes twice in a
row: no event undoes the last one. Colours differ within a story.

**Questions**, all about the end of the story but the last two: who had an object (a name or
"nobody"), where a person was, where an object was, how many things a person had ("none", "one",
…), whether a person had an object ("yes", "no"), how a person felt; what colour an object was, who
was the first to pick an object up (somebody who "had" it from the start has not picked it up).

**Tasks**, with the rule for the answer: repeat, reverse, sort (alphabet), first, last and count a
list of words; contains (yes or no); sum and word_problem, each also with its steps
("12 + 7 = 19. 19 - 5 = 14. The answer is 14."); compare (the larger number); look_up (an object's
colour from given facts) and look_up_object (the reverse); count_noun ("4 knife" becomes
"4 knives"); replace (one person's name by another's); find_food (the one edible thing); reading (a
question about a story).

**Replies** = opener, content, closer: polite or rude by opener and closer, right or wrong by
content.

**What is held out.** Three kinds of combination hold over everything made here: a document of
the training split never names a person together with an object of a held-out pair, never gives an
object a held-out colour, and never adds or subtracts a held-out pair of numbers. The pairs of the
list tasks are held out within their task. Held-out documents use held-out pairs, with one
exception: an object of a story that has no held-out colour free takes another.
"""
