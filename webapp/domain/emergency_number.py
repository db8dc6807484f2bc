"""Emergency number: whom to call for an ambulance, by time zone.

Each line of ``TABLE`` is a region (ISO 3166), its number and its time zones. A number stands here
only where two public lists agree that it calls an ambulance or all emergency services: the
emergency numbers of libphonenumber (ShortNumberMetadata, 9.0.43) and Wikipedia's list of emergency
telephone numbers by way of copies of it; the European Union's page on 112 for its members. Zones
and their older names: the IANA time zone database (zone.tab, backward). A region that is missing
gets 112.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EVERYWHERE = "112"  # GSM phones know it in nearly every network (3GPP TS 22.101)
COMMON = ("112", "911", "999", "119", "000", "111")
NUMBER = re.compile(r"\d{2,6}", re.ASCII)

TABLE = """
AD 112 Europe/Andorra
AE 998 Asia/Dubai
AG 911 America/Antigua
AI 911 America/Anguilla
AL 112 Europe/Tirane
AM 103 Asia/Yerevan
AO 112 Africa/Luanda
AR 911 America/Argentina/Buenos_Aires America/Argentina/Catamarca
  America/Argentina/ComodRivadavia America/Argentina/Cordoba America/Argentina/Jujuy
  America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos
  America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis
  America/Argentina/Tucuman America/Argentina/Ushuaia America/Buenos_Aires America/Catamarca
  America/Cordoba America/Jujuy America/Mendoza America/Rosario
AS 911 Pacific/Pago_Pago Pacific/Samoa US/Samoa
AT 112 Europe/Vienna
AU 000 Antarctica/Macquarie Australia/ACT Australia/Adelaide Australia/Brisbane
  Australia/Broken_Hill Australia/Canberra Australia/Currie Australia/Darwin Australia/Eucla
  Australia/Hobart Australia/LHI Australia/Lindeman Australia/Lord_Howe Australia/Melbourne
  Australia/NSW Australia/North Australia/Perth Australia/Queensland Australia/South
  Australia/Sydney Australia/Tasmania Australia/Victoria Australia/West Australia/Yancowinna
AW 911 America/Aruba
AX 112 Europe/Mariehamn
AZ 112 Asia/Baku
BB 511 America/Barbados
BD 999 Asia/Dacca Asia/Dhaka
BE 112 Europe/Brussels
BG 112 Europe/Sofia
BH 999 Asia/Bahrain
BI 112 Africa/Bujumbura
BJ 112 Africa/Porto-Novo
BM 911 Atlantic/Bermuda
BN 991 Asia/Brunei
BQ 911 America/Kralendijk
BR 192 America/Araguaina America/Bahia America/Belem America/Boa_Vista America/Campo_Grande
  America/Cuiaba America/Eirunepe America/Fortaleza America/Maceio America/Manaus
  America/Noronha America/Porto_Acre America/Porto_Velho America/Recife America/Rio_Branco
  America/Santarem America/Sao_Paulo Brazil/Acre Brazil/DeNoronha Brazil/East Brazil/West
BS 911 America/Nassau
BT 112 Asia/Thimbu Asia/Thimphu
BW 997 Africa/Gaborone
BY 103 Europe/Minsk
BZ 911 America/Belize
CA 911 America/Atikokan America/Blanc-Sablon America/Cambridge_Bay America/Creston
  America/Dawson America/Dawson_Creek America/Edmonton America/Fort_Nelson America/Glace_Bay
  America/Goose_Bay America/Halifax America/Inuvik America/Iqaluit America/Moncton
  America/Montreal America/Nipigon America/Pangnirtung America/Rainy_River America/Rankin_Inlet
  America/Regina America/Resolute America/St_Johns America/Swift_Current America/Thunder_Bay
  America/Toronto America/Vancouver America/Whitehorse America/Winnipeg America/Yellowknife
  Canada/Atlantic Canada/Central Canada/Eastern Canada/Mountain Canada/Newfoundland
  Canada/Pacific Canada/Saskatchewan Canada/Yukon
CC 000 Indian/Cocos
CH 144 Europe/Zurich
CL 131 America/Coyhaique America/Punta_Arenas America/Santiago Chile/Continental
  Chile/EasterIsland Pacific/Easter
CN 120 Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Kashgar Asia/Shanghai Asia/Urumqi
CO 123 America/Bogota
CR 911 America/Costa_Rica
CU 104 America/Havana
CV 130 Atlantic/Cape_Verde
CX 000 Indian/Christmas
CY 112 Asia/Famagusta Asia/Nicosia Europe/Nicosia
CZ 112 Europe/Prague
DE 112 Atlantic/Jan_Mayen Europe/Berlin Europe/Busingen
DK 112 Europe/Copenhagen
DM 999 America/Dominica
DO 911 America/Santo_Domingo
DZ 14 Africa/Algiers
EC 911 America/Guayaquil Pacific/Galapagos
EE 112 Europe/Tallinn
EG 123 Africa/Cairo
ES 112 Africa/Ceuta Atlantic/Canary Europe/Madrid
ET 911 Africa/Addis_Ababa
FI 112 Europe/Helsinki
FJ 911 Pacific/Fiji
FK 999 Atlantic/Stanley
FM 911 Pacific/Chuuk Pacific/Kosrae Pacific/Pohnpei
FO 112 Atlantic/Faeroe Atlantic/Faroe
FR 112 Europe/Paris
GA 1300 Africa/Libreville
GB 999 Europe/Belfast Europe/London
GD 911 America/Grenada
GE 112 Asia/Tbilisi
GG 999 Europe/Guernsey
GH 193 Africa/Accra
GI 112 Europe/Gibraltar
GL 112 America/Danmarkshavn America/Godthab America/Nuuk America/Scoresbysund America/Thule
GP 15 America/Guadeloupe
GR 112 Europe/Athens
GU 911 Pacific/Guam
GY 913 America/Guyana
HK 999 Asia/Hong_Kong
HR 112 Europe/Zagreb
HU 112 Europe/Budapest
ID 119 Asia/Jakarta Asia/Jayapura Asia/Makassar Asia/Pontianak Asia/Ujung_Pandang
IE 112 Europe/Dublin
IL 101 Asia/Jerusalem Asia/Tel_Aviv
IM 999 Europe/Isle_of_Man
IN 112 Asia/Calcutta Asia/Kolkata
IR 115 Asia/Tehran
IS 112 Atlantic/Reykjavik
IT 112 Europe/Rome
JE 999 Europe/Jersey
JM 110 America/Jamaica
JO 911 Asia/Amman
JP 119 Asia/Tokyo
KE 999 Africa/Asmera Africa/Nairobi
KH 119 Asia/Phnom_Penh
KN 911 America/St_Kitts
KR 119 Asia/Seoul
KW 112 Asia/Kuwait
KY 911 America/Cayman
KZ 112 Asia/Almaty Asia/Aqtau Asia/Aqtobe Asia/Atyrau Asia/Oral Asia/Qostanay Asia/Qyzylorda
LA 195 Asia/Vientiane
LB 140 Asia/Beirut
LC 911 America/St_Lucia
LI 144 Europe/Vaduz
LK 110 Asia/Colombo
LR 911 Africa/Monrovia
LT 112 Europe/Vilnius
LU 112 Europe/Luxembourg
LV 112 Europe/Riga
MA 15 Africa/Casablanca
MC 112 Europe/Monaco
MD 112 Europe/Chisinau Europe/Tiraspol
ME 112 Europe/Podgorica
MH 911 Pacific/Kwajalein Pacific/Majuro
MK 112 Europe/Skopje
ML 15 Africa/Bamako
MN 103 Asia/Choibalsan Asia/Hovd Asia/Ulaanbaatar Asia/Ulan_Bator
MO 999 Asia/Macao Asia/Macau
MP 911 Pacific/Saipan
MQ 112 America/Martinique
MS 911 America/Montserrat
MT 112 Europe/Malta
MU 114 Indian/Mauritius
MW 998 Africa/Blantyre
MX 911 America/Bahia_Banderas America/Cancun America/Chihuahua America/Ciudad_Juarez
  America/Ensenada America/Hermosillo America/Matamoros America/Mazatlan America/Merida
  America/Mexico_City America/Monterrey America/Ojinaga America/Santa_Isabel America/Tijuana
  Mexico/BajaNorte Mexico/BajaSur Mexico/General
MY 999 Asia/Kuala_Lumpur Asia/Kuching
MZ 117 Africa/Maputo
NC 15 Pacific/Noumea
NE 15 Africa/Niamey
NI 128 America/Managua
NL 112 Europe/Amsterdam
NO 113 Europe/Oslo
NP 102 Asia/Kathmandu Asia/Katmandu
NR 111 Pacific/Nauru
NZ 111 Pacific/Auckland Pacific/Chatham
OM 9999 Asia/Muscat
PA 911 America/Coral_Harbour America/Panama
PF 15 Pacific/Gambier Pacific/Marquesas Pacific/Tahiti
PG 111 Pacific/Bougainville Pacific/Port_Moresby Pacific/Truk Pacific/Yap
PH 911 Asia/Manila
PK 115 Asia/Karachi
PL 112 Europe/Warsaw
PR 911 America/Puerto_Rico America/Virgin
PS 101 Asia/Gaza Asia/Hebron
PT 112 Atlantic/Azores Atlantic/Madeira Europe/Lisbon
PW 911 Pacific/Palau
PY 911 America/Asuncion
QA 999 Asia/Qatar
RE 112 Indian/Reunion
RO 112 Europe/Bucharest
RU 112 Asia/Anadyr Asia/Barnaul Asia/Chita Asia/Irkutsk Asia/Kamchatka Asia/Khandyga
  Asia/Krasnoyarsk Asia/Magadan Asia/Novokuznetsk Asia/Novosibirsk Asia/Omsk Asia/Sakhalin
  Asia/Srednekolymsk Asia/Tomsk Asia/Ust-Nera Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg
  Europe/Astrakhan Europe/Kaliningrad Europe/Kirov Europe/Moscow Europe/Samara Europe/Saratov
  Europe/Ulyanovsk Europe/Volgograd
RW 112 Africa/Kigali
SA 997 Asia/Riyadh
SB 999 Pacific/Guadalcanal Pacific/Ponape
SD 999 Africa/Khartoum
SE 112 Europe/Stockholm
SG 995 Asia/Singapore
SH 999 Atlantic/St_Helena
SI 112 Europe/Ljubljana
SJ 113 Arctic/Longyearbyen
SK 112 Europe/Bratislava
SL 999 Africa/Freetown
SR 115 America/Paramaribo
SS 999 Africa/Juba
ST 112 Africa/Sao_Tome
SY 110 Asia/Damascus
TC 911 America/Grand_Turk
TH 1669 Asia/Bangkok
TJ 103 Asia/Dushanbe
TL 112 Asia/Dili
TN 190 Africa/Tunis
TO 911 Pacific/Tongatapu
TR 112 Asia/Istanbul Europe/Istanbul
TV 911 Pacific/Funafuti
TW 119 Asia/Taipei
TZ 114 Africa/Dar_es_Salaam
UA 112 Europe/Kiev Europe/Kyiv Europe/Simferopol Europe/Uzhgorod Europe/Zaporozhye
US 911 America/Adak America/Anchorage America/Atka America/Boise America/Chicago America/Denver
  America/Detroit America/Fort_Wayne America/Indiana/Indianapolis America/Indiana/Knox
  America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Tell_City
  America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac America/Indianapolis
  America/Juneau America/Kentucky/Louisville America/Kentucky/Monticello America/Knox_IN
  America/Los_Angeles America/Louisville America/Menominee America/Metlakatla America/New_York
  America/Nome America/North_Dakota/Beulah America/North_Dakota/Center
  America/North_Dakota/New_Salem America/Phoenix America/Shiprock America/Sitka America/Yakutat
  Pacific/Honolulu Pacific/Johnston US/Alaska US/Aleutian US/Arizona US/Central US/East-Indiana
  US/Eastern US/Hawaii US/Indiana-Starke US/Michigan US/Mountain US/Pacific
UY 911 America/Montevideo
VA 112 Europe/Vatican
VC 911 America/St_Vincent
VE 911 America/Caracas
VG 911 America/Tortola
VI 911 America/St_Thomas
VN 115 Asia/Ho_Chi_Minh Asia/Saigon
VU 112 Pacific/Efate
WF 15 Pacific/Wallis
WS 996 Pacific/Apia
YE 191 Asia/Aden
YT 112 Indian/Mayotte
ZA 10177 Africa/Johannesburg
ZM 999 Africa/Lusaka
ZW 999 Africa/Harare
"""


@dataclass(frozen=True, slots=True)
class EmergencyNumber:
    """The number to call; ``others`` stand beside it until somebody has ``confirmed`` it."""

    number: str
    confirmed: bool = False
    others: tuple[str, ...] = ()


def read_table(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The numbers by region, and by time zone."""
    regions: dict[str, str] = {}
    zones: dict[str, str] = {}
    for line in text.replace("\n  ", " ").strip().splitlines():
        region, number, *names = line.split()
        regions[region] = number
        zones.update(dict.fromkeys(names, number))
    return regions, zones


BY_REGION, BY_ZONE = read_table(TABLE)


def emergency_number(
    confirmed: str, device_zone: str, site_zone: str, language: str
) -> EmergencyNumber:
    """The number for a device, whose person may have ``confirmed`` one.

    The zones are IANA names, ``language`` is a BCP 47 tag like ``en-NZ``. The language's region
    counts only where no zone says anything. 112 where the zones disagree or nothing is known.
    """
    if is_number(confirmed):
        return EmergencyNumber(confirmed, confirmed=True, others=others_than(confirmed))
    known = [BY_ZONE[zone] for zone in (device_zone, site_zone) if zone in BY_ZONE]
    if not known and (region := region_of(language)) in BY_REGION:
        known = [BY_REGION[region]]
    number = known[0] if len(set(known)) == 1 else EVERYWHERE
    return EmergencyNumber(number, others=others_than(number, *known))


def others_than(number: str, *known: str) -> tuple[str, ...]:
    """What may be right instead: what the zones say first, then the common ones."""
    return tuple(dict.fromkeys(other for other in (*known, *COMMON) if other != number))


def region_of(language: str) -> str:
    """The region in a language tag, upper case; empty when it names none."""
    parts = language.replace("_", "-").split("-")[1:]
    return next((part.upper() for part in parts if len(part) == 2 and part.isalpha()), "")


def is_number(text: str) -> bool:
    """True for two to six digits: no emergency number of any region is longer."""
    return NUMBER.fullmatch(text) is not None
