"""What Locust's users do, as in the tutorials: a GET as fast as it is answered. LOCUST_PATH says of what."""

import os

from locust import HttpUser, constant, task


class Caller(HttpUser):
    wait_time = constant(0)

    @task
    def items(self):
        self.client.get(os.environ["LOCUST_PATH"], name="items")
