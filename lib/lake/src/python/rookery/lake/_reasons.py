"""What obstore says, as short as a person wants to read it."""

import re


def reason_of(error: BaseException) -> str:
    """Leaves the debugging dump and the XML out of what an error says.

    Args:
        error: An error of obstore.

    Returns:
        One line: what was asked for and how it was answered.
    """
    text, answer, xml = str(error).partition("\n\n")[0].partition(": <?xml")
    if answer:
        code = re.search(r"<Code>(.*?)</Code>", xml, re.DOTALL)
        message = re.search(r"<Message>(.*?)</Message>", xml, re.DOTALL)
        said = [found[1].strip() for found in (code, message) if found]
        text = ": ".join([text, *said])
    return " ".join(text.split())
