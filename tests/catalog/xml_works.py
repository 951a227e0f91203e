"""Works written as records of LIDO, MARC 21, EDM and Dublin Core, as museums and libraries do."""

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class XmlWork:
    """A work whose words are known, so that each format must give them back."""

    id: str
    title: str = "Boats in the harbour"
    artist: str = "Anna Lind"
    year: str = "1884"
    medium: str = "oil on canvas"
    keywords: tuple[str, ...] = ("harbour", "boat")
    description: str = "Two boats lie at a quay in the evening."
    rights: str = "https://creativecommons.org/publicdomain/zero/1.0/"
    picture: str = ""


def lido(work: XmlWork) -> str:
    """One ``lido:lido`` with the 25 fields that museums fill most, names and terms in several versions."""
    e = {name: escape(value) for name, value in vars(work).items() if isinstance(value, str)}
    subjects = "".join(
        f'<lido:subjectSet><lido:subject><lido:subjectConcept><skos:Concept rdf:about="urn:term:{escape(each)}">'
        f'<skos:prefLabel xml:lang="en">{escape(each)}</skos:prefLabel><skos:altLabel>port</skos:altLabel>'
        f"</skos:Concept></lido:subjectConcept></lido:subject></lido:subjectSet>"
        for each in work.keywords
    )
    return f"""<lido:lido xmlns:lido="http://www.lido-schema.org" xmlns:skos="http://www.w3.org/2004/02/skos/core#"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<lido:lidoRecID lido:type="local" lido:source="Museum">{e["id"]}</lido:lidoRecID>
<lido:objectPublishedID lido:type="uri">https://museum.example/{e["id"]}</lido:objectPublishedID>
<lido:descriptiveMetadata xml:lang="en">
<lido:objectClassificationWrap>
<lido:objectWorkTypeWrap><lido:objectWorkType><lido:conceptID lido:type="URI">urn:300033618</lido:conceptID>
<lido:term xml:lang="en">painting</lido:term><lido:term xml:lang="en" lido:addedSearchTerm="yes">pictures</lido:term>
</lido:objectWorkType></lido:objectWorkTypeWrap>
<lido:classificationWrap><lido:classification><lido:term>Fine art</lido:term></lido:classification></lido:classificationWrap>
</lido:objectClassificationWrap>
<lido:objectIdentificationWrap>
<lido:titleWrap><lido:titleSet><lido:appellationValue lido:pref="preferred">{e["title"]}</lido:appellationValue>
<lido:appellationValue lido:pref="alternate">Quay</lido:appellationValue></lido:titleSet></lido:titleWrap>
<lido:inscriptionsWrap><lido:inscriptions><lido:inscriptionTranscription>A.L. 84</lido:inscriptionTranscription>
</lido:inscriptions></lido:inscriptionsWrap>
<lido:repositoryWrap><lido:repositorySet lido:type="current"><lido:repositoryName>
<lido:legalBodyID>urn:museum</lido:legalBodyID><lido:legalBodyName><lido:appellationValue>Museum of Quays</lido:appellationValue>
</lido:legalBodyName></lido:repositoryName><lido:workID>INV 7</lido:workID></lido:repositorySet></lido:repositoryWrap>
<lido:displayStateEditionWrap><lido:displayState>second state</lido:displayState></lido:displayStateEditionWrap>
<lido:objectDescriptionWrap><lido:objectDescriptionSet><lido:descriptiveNoteValue>{e["description"]}
</lido:descriptiveNoteValue></lido:objectDescriptionSet></lido:objectDescriptionWrap>
<lido:objectMeasurementsWrap><lido:objectMeasurementsSet><lido:displayObjectMeasurements>40 x 60 cm
</lido:displayObjectMeasurements></lido:objectMeasurementsSet></lido:objectMeasurementsWrap>
</lido:objectIdentificationWrap>
<lido:eventWrap>
<lido:eventSet><lido:event><lido:eventType><lido:term>Acquisition</lido:term></lido:eventType>
<lido:eventActor><lido:actorInRole><lido:actor><lido:nameActorSet><lido:appellationValue>A Dealer</lido:appellationValue>
</lido:nameActorSet></lido:actor></lido:actorInRole></lido:eventActor>
<lido:eventDate><lido:displayDate>1950</lido:displayDate></lido:eventDate></lido:event></lido:eventSet>
<lido:eventSet><lido:event><lido:eventType><lido:conceptID>http://terminology.lido-schema.org/lido00007</lido:conceptID>
<lido:term xml:lang="de">Herstellung</lido:term></lido:eventType>
<lido:eventActor><lido:displayActorInRole>{e["artist"]}, painter</lido:displayActorInRole><lido:actorInRole><lido:actor>
<lido:actorID>urn:1</lido:actorID><lido:nameActorSet><lido:appellationValue lido:pref="preferred">{e["artist"]}</lido:appellationValue>
<lido:appellationValue lido:pref="alternate">A. L.</lido:appellationValue></lido:nameActorSet></lido:actor>
<lido:roleActor><lido:term>painter</lido:term></lido:roleActor></lido:actorInRole></lido:eventActor>
<lido:culture><lido:term>Swedish</lido:term></lido:culture>
<lido:eventDate><lido:displayDate>{e["year"]}</lido:displayDate><lido:date><lido:earliestDate>1884</lido:earliestDate>
<lido:latestDate>1885</lido:latestDate></lido:date></lido:eventDate>
<lido:periodName><lido:term>Realism</lido:term></lido:periodName>
<lido:eventPlace><lido:place><lido:namePlaceSet><lido:appellationValue>Visby</lido:appellationValue></lido:namePlaceSet>
</lido:place></lido:eventPlace>
<lido:eventMaterialsTech><lido:displayMaterialsTech>{e["medium"]}</lido:displayMaterialsTech></lido:eventMaterialsTech>
</lido:event></lido:eventSet></lido:eventWrap>
<lido:objectRelationWrap><lido:subjectWrap>{subjects}
<lido:subjectSet><lido:subject><lido:subjectPlace><lido:place><lido:namePlaceSet><lido:appellationValue>Gotland
</lido:appellationValue></lido:namePlaceSet></lido:place></lido:subjectPlace></lido:subject></lido:subjectSet>
</lido:subjectWrap><lido:relatedWorksWrap><lido:relatedWorkSet><lido:relatedWork><lido:displayObject>Sketch of the quay
</lido:displayObject></lido:relatedWork></lido:relatedWorkSet></lido:relatedWorksWrap></lido:objectRelationWrap>
</lido:descriptiveMetadata>
<lido:administrativeMetadata xml:lang="en">
<lido:rightsWorkWrap><lido:rightsWorkSet><lido:rightsType><lido:term>{e["rights"]}</lido:term></lido:rightsType>
<lido:creditLine>Gift of a friend</lido:creditLine></lido:rightsWorkSet></lido:rightsWorkWrap>
<lido:recordWrap><lido:recordID>{e["id"]}</lido:recordID><lido:recordType><lido:term>item</lido:term></lido:recordType>
<lido:recordSource><lido:legalBodyName><lido:appellationValue>Registry of Quays</lido:appellationValue></lido:legalBodyName>
</lido:recordSource><lido:recordInfoSet><lido:recordInfoLink>https://museum.example/{e["id"]}</lido:recordInfoLink>
</lido:recordInfoSet></lido:recordWrap>
<lido:resourceWrap><lido:resourceSet>
<lido:resourceRepresentation lido:type="image_thumb"><lido:linkResource>thumb-{e["picture"]}</lido:linkResource>
</lido:resourceRepresentation><lido:resourceRepresentation lido:type="image_master">
<lido:linkResource>{e["picture"]}</lido:linkResource></lido:resourceRepresentation></lido:resourceSet></lido:resourceWrap>
</lido:administrativeMetadata></lido:lido>""".replace("<lido:linkResource>thumb-</lido:linkResource>", "")


def marc(work: XmlWork) -> str:
    """One record of MARC 21, its fields punctuated as cataloguing rules ask."""
    e = {name: escape(value) for name, value in vars(work).items() if isinstance(value, str)}
    subjects = "".join(_field("650", a=escape(each)) for each in work.keywords)
    return (
        '<marc:record xmlns:marc="http://www.loc.gov/MARC21/slim"><marc:leader>01142ckm a2200301 a 4500</marc:leader>'
        f'<marc:controlfield tag="001">{e["id"]}</marc:controlfield>'
        f'<marc:controlfield tag="008">{"840101s1884    sw":<35}eng  </marc:controlfield>'
        + _field("100", a=f"{e['artist']},", e="painter.")
        + _field("245", a=f"{e['title']} /", c=f"{e['artist']}.")
        + _field("264", a="Visby :", b="the artist,", c=e["year"])
        + _field("340", a=e["medium"])
        + _field("300", a="1 painting ;", c="40 x 60 cm")
        + _field("520", a=e["description"])
        + subjects
        + _field("540", a=e["rights"])
        + (_field("856", u=e["picture"], q="image/png") if work.picture else "")
        + _field("856", u=f"https://museum.example/{e['id']}")
        + "</marc:record>"
    )


def _field(tag: str, **parts: str) -> str:
    inner = "".join(f'<marc:subfield code="{code}">{text}</marc:subfield>' for code, text in parts.items())
    return f'<marc:datafield tag="{tag}" ind1=" " ind2=" ">{inner}</marc:datafield>'


def dublin_core(work: XmlWork) -> str:
    """One record as every repository of OAI-PMH gives it."""
    e = {name: escape(value) for name, value in vars(work).items() if isinstance(value, str)}
    identifiers = [f"https://museum.example/{e['id']}", f"INV {e['id']}", e["picture"]]
    parts = [("title", e["title"]), ("title", "Quay"), ("creator", e["artist"]), ("date", e["year"])]
    parts += [("subject", escape(each)) for each in work.keywords] + [("description", e["description"])]
    parts += [("format", e["medium"]), ("format", "image/png"), ("rights", e["rights"]), ("type", "painting")]
    parts += [("identifier", each) for each in identifiers if each]
    inner = "".join(f"<dc:{name}>{text}</dc:{name}>" for name, text in parts)
    return (
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{inner}</oai_dc:dc>'
    )


def edm(work: XmlWork) -> str:
    """One graph with an object, its aggregation, and a maker and subjects that are referred to."""
    e = {name: escape(value) for name, value in vars(work).items() if isinstance(value, str)}
    subjects = "".join(f'<dc:subject xml:lang="en">{escape(each)}</dc:subject>' for each in work.keywords)
    shown = f'<edm:isShownBy rdf:resource="{e["picture"]}"/>' if work.picture else ""
    return f"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:dcterms="http://purl.org/dc/terms/" xmlns:edm="http://www.europeana.eu/schemas/edm/"
 xmlns:ore="http://www.openarchives.org/ore/terms/" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
<edm:ProvidedCHO rdf:about="{e["id"]}"><dc:title xml:lang="en">{e["title"]}</dc:title><dc:title xml:lang="de">Boote</dc:title>
<dc:creator rdf:resource="#maker"/><dc:creator rdf:resource="https://ids.example/unknown"/>
<dcterms:created>{e["year"]}</dcterms:created><dcterms:medium>{e["medium"]}</dcterms:medium>{subjects}
<dc:description>{e["description"]}</dc:description><edm:type>IMAGE</edm:type></edm:ProvidedCHO>
<edm:Agent rdf:about="#maker"><skos:prefLabel>{e["artist"]}</skos:prefLabel></edm:Agent>
<ore:Aggregation rdf:about="#aggregation"><edm:aggregatedCHO rdf:resource="{e["id"]}"/>
<edm:dataProvider>Museum of Quays</edm:dataProvider>{shown}
<edm:isShownAt rdf:resource="https://museum.example/{e["id"]}"/><edm:rights rdf:resource="{e["rights"]}"/></ore:Aggregation>
</rdf:RDF>"""


FORMATS = {"lido": lido, "marc21": marc, "oai_dc": dublin_core, "edm": edm}
"""By the prefix that repositories give them."""


def document(prefix: str, works: list[XmlWork]) -> str:
    """One file with the works; of Dublin Core and EDM, which have no root for several, with one of no name."""
    records = "".join(map(FORMATS[prefix], works))
    root = {
        "lido": '<lido:lidoWrap xmlns:lido="http://www.lido-schema.org">{}</lido:lidoWrap>',
        "marc21": '<collection xmlns="http://www.loc.gov/MARC21/slim">{}</collection>',
    }.get(prefix, "<works>{}</works>")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + root.format(records)
