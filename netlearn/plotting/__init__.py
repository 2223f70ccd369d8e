"""Pictures: from what was recorded or loaded to matplotlib figures. Only this package imports matplotlib.

The colours are Okabe and Ito's, which colour-blind readers tell apart; lines differ in their dashes or
markers or carry their names as well, so the pictures survive being printed in grey.
"""

import logging

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where its caches lie is no concern of netlearn's users
