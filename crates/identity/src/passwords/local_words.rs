//! Words that people here put into passwords and that no list from elsewhere knows: places, operators, banks, brands,
//! festivals, greetings, common family names. Data, in lower case; an estimator treats them as the first guesses.

/// The words.
pub const LOCAL_WORDS: &[&str] = &[
    // Places.
    "phnompenh", "phnom penh", "phnom", "penh", "siemreap", "siem reap", "siem", "reap", "battambang", "sihanoukville",
    "sihanouk", "kampot", "kampongcham", "kampong cham", "kampong", "kampongspeu", "kampongthom", "kampongchhnang",
    "kandal", "takeo", "takeov", "kep", "kohkong", "koh kong", "kratie", "mondulkiri", "ratanakiri", "preahvihear",
    "pursat", "preyveng", "svayrieng", "stungtreng", "pailin", "poipet", "bavet", "banteaymeanchey",
    "oddarmeanchey", "tboungkhmum", "toulkork", "toul kork", "chamkarmon", "daunpenh", "sensok", "chbarampov",
    "mekong", "tonlesap", "bassac", "angkor", "angkorwat", "bayon", "apsara", "naga", "cambodia", "kampuchea",
    "khmer", "cambodge", "ភ្នំពេញ", "សៀមរាប", "បាត់ដំបង", "កម្ពុជា", "ខ្មែរ", "អង្គរ",
    "bangkok", "saigon", "hochiminh", "vientiane", "singapore", "guangzhou", "jinbian",
    // Operators, banks, wallets, brands, services.
    "cellcard", "smart", "smartaxiata", "metfone", "seatel", "cootel", "mobitel", "mfone", "qbmore", "simwarden",
    "aba", "ababank", "acleda", "wing", "wingbank", "truemoney", "pipay", "canadia", "sathapana", "ppcbank", "ftb",
    "prasac", "amret", "bakong", "emoney", "vattanac", "camdigikey", "khqr", "nssf", "angkorbeer", "cambodiabeer",
    "hanuman", "ganzberg", "browncoffee", "amazon", "aeon", "foodpanda", "grab", "passapp", "facebook", "telegram",
    "tiktok", "messenger", "whatsapp", "wechat", "youtube", "google", "samsung", "iphone", "oppo", "vivo", "huawei",
    "xiaomi",
    // Festivals, greetings, words of luck and love.
    "chaulchnam", "chnamthmey", "pchumben", "bonomtouk", "sabay", "sousdey", "suosdey", "arkoun", "orkun", "sokha",
    "srolanh", "sralanh", "bong", "oun", "songsa", "luckluck", "heng", "hengheng", "samnang", "lucky", "summer",
    "winter", "spring", "autumn", "monday", "sunday", "january", "february", "march", "april", "june", "july",
    "august", "september", "october", "november", "december",
    // Common family and given names.
    "sok", "chan", "chea", "heng", "keo", "khun", "kim", "lim", "ly", "mao", "meas", "nhem", "noun", "ouk", "pen",
    "phan", "prak", "sam", "san", "sao", "seng", "som", "sovann", "tan", "tep", "touch", "ung", "van", "yim", "dara",
    "bopha", "sophea", "sopheap", "sothea", "thida", "vanna", "veasna", "visal", "rith", "ratha", "pisey", "channary",
    "srey", "sreymom", "sreyneang", "kunthea", "kosal", "makara", "mealea", "nimol", "phalla", "piseth", "raksmey",
    "rithy", "samedi", "sokun", "sopheak", "sothy", "theary", "tola", "vichea", "virak",
    // Patterns of phone numbers and years.
    "168", "999", "888", "123456", "012", "010", "015", "016", "011", "017", "855", "1234567890", "12345678",
];
