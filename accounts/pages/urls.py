from django.urls import path

from accounts.pages import home

urlpatterns = [path("", home.home, name="home")]
