"""Places that stand at the end of a card purchase's text: "NIMBUS CLOUD SEATTLE WA".

A city is taken off only if it is one of these and a state follows. Whatever is not listed stays in the name, which then
proves nothing: a missed match costs a question, a wrong one costs trust.
"""

_STATE_CODES = """
AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA PR
RI SC SD TN TX UT VT VA WA WV WI WY
"""

STATES = frozenset(_STATE_CODES.split())
"""Postal codes of the states of the USA."""

COUNTRIES = frozenset({"US", "USA"})

_CITIES = """
Akron, Albany, Albuquerque, Alexandria, Allentown, Amarillo, Anaheim, Anchorage, Ann Arbor, Arlington, Asheville,
Athens, Atlanta, Augusta, Aurora, Austin, Bakersfield, Baltimore, Baton Rouge, Beaumont, Bellevue, Berkeley, Billings,
Birmingham, Boise, Boston, Boulder, Bridgeport, Brooklyn, Brownsville, Buffalo, Burbank, Burlington, Cambridge,
Cape Coral, Carlsbad, Carrollton, Cary, Cedar Rapids, Chandler, Charleston, Charlotte, Chattanooga, Chesapeake, Chicago,
Chula Vista, Cincinnati, Clarksville, Clearwater, Cleveland, Colorado Springs, Columbia, Columbus, Concord,
Coral Springs, Corona, Corpus Christi, Costa Mesa, Cupertino, Dallas, Daly City, Davenport, Dayton, Denton, Denver,
Des Moines, Detroit, Durham, El Monte, El Paso, Elgin, Elizabeth, Elk Grove, Escondido, Eugene, Evansville, Everett,
Fairfield, Fargo, Fayetteville, Fontana, Fort Collins, Fort Lauderdale, Fort Wayne, Fort Worth, Fremont, Fresno, Frisco,
Fullerton, Gainesville, Garden Grove, Garland, Gilbert, Glendale, Grand Prairie, Grand Rapids, Green Bay, Greensboro,
Gresham, Hampton, Hartford, Hayward, Henderson, Hialeah, Hoboken, Hollywood, Honolulu, Houston, Huntington Beach,
Huntsville, Indianapolis, Irvine, Irving, Jackson, Jacksonville, Jersey City, Joliet, Kansas City, Killeen, Knoxville,
Lafayette, Lakeland, Lakewood, Lancaster, Lansing, Laredo, Las Vegas, Lexington, Lincoln, Little Rock, Long Beach,
Los Angeles, Los Gatos, Louisville, Lowell, Lubbock, Macon, Madison, Manchester, McAllen, McKinney, Memphis,
Menlo Park, Mesa, Mesquite, Miami, Miami Beach, Midland, Milwaukee, Minneapolis, Miramar, Modesto, Montgomery,
Moreno Valley, Mountain View, Murfreesboro, Naperville, Nashville, New Haven, New Orleans, New York, Newark,
Newport News, Norfolk, Norman, North Las Vegas, Oakland, Oceanside, Oklahoma City, Olathe, Omaha, Ontario, Orlando,
Overland Park, Oxnard, Palm Bay, Palmdale, Palo Alto, Pasadena, Paterson, Pembroke Pines, Peoria, Philadelphia, Phoenix,
Pittsburgh, Plano, Pomona, Port St Lucie, Portland, Providence, Provo, Pueblo, Raleigh, Rancho Cucamonga,
Redmond, Redwood City, Reno, Richardson, Richmond, Riverside, Rochester, Rockford, Roseville, Round Rock,
Sacramento, Saint Louis, Saint Paul, Saint Petersburg, Salem, Salinas, Salt Lake City, San Antonio, San Bernardino,
San Diego, San Francisco, San Jose, San Mateo, San Rafael, Santa Ana, Santa Clara, Santa Clarita, Santa Fe,
Santa Monica, Santa Rosa, Savannah, Scottsdale, Scranton, Seattle, Shreveport, Simi Valley, Sioux Falls, South Bend,
South San Francisco, Spokane, Springfield, St Louis, St Paul, St Petersburg, Stamford, Sterling Heights, Stockton,
Sunnyvale, Surprise, Syracuse, Tacoma, Tallahassee, Tampa, Temecula, Tempe, Thornton, Thousand Oaks, Toledo, Topeka,
Torrance, Tucson, Tulsa, Tyler, Vallejo, Vancouver, Ventura, Virginia Beach, Visalia, Waco, Warren, Washington,
Waterbury, West Palm Beach, Wichita, Wilmington, Winston Salem, Worcester, Yonkers
"""

CITIES = frozenset(tuple(city.upper().split()) for city in _CITIES.replace("\n", " ").split(","))
"""Cities as the words they are written with, in capitals."""

LONGEST_CITY = max(map(len, CITIES))
