//! The codes of states and organisations in machine-readable zones: ISO 3166-1 with three letters, and ICAO's own
//! (9303-3 section 5).

/// ISO 3166-1 alpha-3.
const ISO: &str = "\
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR \
BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP \
CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB \
GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN \
KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD \
MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN \
PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM \
SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR \
UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE";

/// ICAO's own: Germany's single letter, kinds of British nationals, organisations, stateless persons and refugees.
const ICAO: &str = "\
D EUE GBD GBN GBO GBP GBS RKS UNA UNK UNO XAA XBA XCC XCE XCO XCT XDC XEC XES XIM XMP XOM XPO XXA XXB XXC XXX IAO";

/// Utopia: the state that stands on ICAO's specimens, and on no real document.
pub const SPECIMEN: &str = "UTO";

/// Whether a code, without fillers, names a state, an organisation or a class of persons. [`SPECIMEN`] does not.
#[must_use]
pub fn known(code: &str) -> bool {
    [ISO, ICAO]
        .iter()
        .any(|list| list.split_ascii_whitespace().any(|known| known == code))
}

#[cfg(test)]
mod tests {
    use super::{ISO, known};

    #[test]
    fn the_list_is_in_order_and_complete() {
        let codes: Vec<&str> = ISO.split_ascii_whitespace().collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(codes.len(), 249, "ISO 3166-1 has 249 entries");
        for code in ["KHM", "D", "DEU", "RKS", "XXA", "GBN"] {
            assert!(known(code), "{code}");
        }
        for code in ["", "UTO", "KH", "KHN", "ABW AFG", "D<<"] {
            assert!(!known(code), "{code}");
        }
    }
}
