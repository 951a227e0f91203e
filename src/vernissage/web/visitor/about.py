"""What visitors should know of the collection and of this site."""

from fastapi import APIRouter, Request, Response

from vernissage.encoders import register
from vernissage.pages.visitor.about import about_page
from vernissage.pages.visitor.frame import Frame
from vernissage.web.visitor.site import Site
from vernissage.workspace.seeing import tagger_of


def routes(site: Site) -> APIRouter:
    """The page about the collection."""
    router = APIRouter()

    @router.get("/about")
    def about(request: Request) -> Response:
        gallery = site.service.gallery

        def make(frame: Frame) -> str:
            workspace = gallery.snapshot.workspace
            used = register.members_of_default(workspace.encoder_names, workspace.manifest.pairs)
            return about_page(
                frame,
                works=len(gallery),
                pictures=sum(map(bool, gallery.collection.texts("picture_digest"))),
                looked_at=[register.engine(each).words for each in used],
                named_by_software=tagger_of(workspace) is not None,
                people={"/for-you", "/areas"} & {*frame.pages} != set(),
            )

        return site.cached(request, make)

    return router
