from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render

from accounts.pages.http import PersonRequest


@login_required
def home(request: PersonRequest) -> HttpResponse:
    return render(request, "accounts/home.html")
