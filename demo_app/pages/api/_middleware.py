from demo_app.lib.settings import API_ORIGINS
from flask_filepages import cors

middleware = cors(API_ORIGINS, headers=["Content-Type"], expose=["Location"])
