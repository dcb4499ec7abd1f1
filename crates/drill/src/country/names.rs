//! Invented names. Common given and family names, put together by chance; nobody in particular is meant.

/// Family names, romanised, with the Khmer spelling.
pub(super) const FAMILY: &[(&str, &str)] = &[
    ("Sok", "សុខ"),
    ("Chan", "ចាន់"),
    ("Keo", "កែវ"),
    ("Chea", "ជា"),
    ("Heng", "ហេង"),
    ("Lim", "លឹម"),
    ("Meas", "មាស"),
    ("Nhem", "ញ៉ែម"),
    ("Ouk", "អ៊ុក"),
    ("Phan", "ផាន់"),
    ("Prak", "ប្រាក់"),
    ("Sam", "សំ"),
    ("Sar", "សរ"),
    ("Seng", "សេង"),
    ("Tep", "ទេព"),
    ("Thy", "ធី"),
    ("Ung", "អ៊ុង"),
    ("Vong", "វង្ស"),
    ("Yim", "យឹម"),
    ("Chhim", "ឈឹម"),
];

/// Given names, romanised, with the Khmer spelling.
pub(super) const GIVEN: &[(&str, &str)] = &[
    ("Bopha", "បុប្ផា"),
    ("Channary", "ចន្ទណារី"),
    ("Dara", "តារា"),
    ("Kosal", "កុសល"),
    ("Leakena", "លក្ខិណា"),
    ("Makara", "មករា"),
    ("Nary", "ណារី"),
    ("Phirun", "ភិរុណ"),
    ("Pisey", "ពិសី"),
    ("Rithy", "រិទ្ធី"),
    ("Samnang", "សំណាង"),
    ("Sophal", "សុផល"),
    ("Sophea", "សុភា"),
    ("Sovann", "សុវណ្ណ"),
    ("Srey", "ស្រី"),
    ("Thavy", "ថាវី"),
    ("Veasna", "វាសនា"),
    ("Vibol", "វិបុល"),
    ("Vicheka", "វិច្ឆិកា"),
    ("Visal", "វិសាល"),
];

/// Given names of visitors and foreigners.
pub(super) const GIVEN_ABROAD: &[&str] = &[
    "Alma", "Bruno", "Clara", "Dmitri", "Elin", "Farid", "Greta", "Hana", "Ivo", "Jun", "Kirsten", "Luis",
];

/// Family names of visitors and foreigners.
pub(super) const FAMILY_ABROAD: &[&str] = &[
    "Abel", "Berg", "Costa", "Dahl", "Ekman", "Fuchs", "Grant", "Horak", "Ito", "Jansen", "Kim", "Lopez",
];

/// Countries of passports.
pub(super) const ABROAD: &[&str] = &[
    "THA", "VNM", "CHN", "KOR", "JPN", "FRA", "DEU", "GBR", "USA", "AUS",
];

/// First words of companies.
pub(super) const COMPANY: &[&str] = &[
    "Kanha", "Romduol", "Angkeara", "Mekhala", "Sampov", "Trokuon", "Chamkar",
];

/// Last words of companies.
pub(super) const TRADE: &[&str] = &[
    "Rice Mill",
    "Garments",
    "Transport",
    "Foods",
    "Pharmacy",
    "Builders",
    "Printing",
];

/// Districts where shops stand.
pub(super) const DISTRICT: &[&str] = &[
    "Toul Lvea",
    "Boeng Chhuk",
    "Phsar Tboung",
    "Stung Kmao",
    "Prey Romdeng",
    "Koh Sla",
    "Wat Chas",
    "Veal Thom",
];
