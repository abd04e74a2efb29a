// The cues of roles.rs. Weights: models/evaluation/fit_roles.py; phrases written for this project.

/// Who speaks first is the rep, when the direction is unknown.
const SPEAKS_FIRST_MILLI: i64 = 360;
/// Inbound: the rep answers the call. Engineering guess: no labelled set here has both times and directions.
const ANSWERS_INBOUND_MILLI: i64 = 900;
/// Outbound: the customer is called and speaks first, unless the recording starts with the rep. Engineering guess.
const ANSWERS_OUTBOUND_MILLI: i64 = 300;

const REP_ACTS: &[(&str, i64)] = &[
    ("recording_disclosure", 2510),
    ("self_introduction", 1190),
    ("identity_check", 2000),
    ("needs_question", 680),
    ("presentation", 1000),
    ("objection_answer", 700),
    ("hold_request", 1350),
    ("hold_return", 1500),
    ("empathy", 1200),
    ("apology", 820),
    ("next_step", 700),
    ("closing", 910),
    ("greeting", 680),
];
const CUSTOMER_ACTS: &[(&str, i64)] =
    &[("price_objection", -1500), ("objection", -1170), ("angry", -1500), ("confirmation", -290), ("thanks", -200)];

const CUES: &[Cue] = &[
    Cue {
        name: "names_company",
        odds_milli: 870,
        en: &[
            "for calling", "calling from", "on behalf of", "you're speaking with", "you are speaking with",
            "customer service", "customer care", "welcome to", "i'm here to", "this is your",
        ],
        zh: &["欢迎致电", "您的来电", "这里是", "工号", "客服", "公司的", "客户经理"],
    },
    Cue {
        name: "offers_help",
        odds_milli: 930,
        en: &[
            "how can i help", "how may i help", "how can i assist", "how may i assist", "can i help you", "may i help you",
            "help you today", "help you with", "assist you", "happy to help", "glad to help", "be glad to",
            "anything else", "what can i do for you",
        ],
        zh: &["为您服务", "帮到您", "可以帮您", "帮助您", "还有其他", "还需要什么", "还有什么问题"],
    },
    Cue {
        name: "discloses_recording",
        odds_milli: 1500,
        en: &["is recorded", "is being recorded", "be recorded", "recorded line", "monitored or recorded", "calls are recorded"],
        zh: &["被录音", "会录音", "录音", "通话质量"],
    },
    Cue {
        name: "asks_identity",
        odds_milli: 900,
        en: &[
            "date of birth please", "your full name", "have your name", "get your name", "your date of birth",
            "your account number", "your account id", "your order id", "your username", "your email", "your phone number",
            "your policy number", "your zip code", "your address", "verify your", "verify you", "verify that",
            "confirm your", "last four", "provide me", "provide the", "provide your", "security question", "member id",
            "who am i speaking", "am i speaking",
        ],
        zh: &["核实", "核对", "身份证号", "您的姓名", "贵姓", "请提供", "报一下", "怎么称呼", "您本人", "是您吗"],
    },
    Cue { name: "your_thing", odds_milli: 450, en: &["your"], zh: &["您的", "您家"] },
    Cue { name: "formal_you", odds_milli: 650, en: &[], zh: &["您"] },
    Cue { name: "we", odds_milli: 130, en: &["we", "our", "we'll", "we've", "we're", "we are"], zh: &["我们", "咱们"] },
    Cue {
        name: "asks_politely",
        odds_milli: 470,
        en: &[
            "could you please", "can you please", "would you like", "do you have", "may i", "could i have", "can i have",
            "please provide", "would you mind", "are you able to", "is that correct", "is it okay", "is that okay",
            "what is the", "and what",
        ],
        zh: &["请您", "您方便", "您是", "您看", "您想", "您需要", "您现在", "麻烦您", "可以吗"],
    },
    Cue {
        name: "works_on_it",
        odds_milli: 600,
        en: &[
            "let me check", "let me see", "let me pull", "let me look", "let me just", "i can see", "i see here", "one moment",
            "bear with me", "go ahead and", "on my end", "i have located", "i've located", "i will send", "i'll send",
            "i'm showing", "just a moment", "in our system", "i have submitted", "i can do that", "i can certainly",
            "let's", "i'd be happy", "i would be happy", "absolutely", "certainly", "no problem", "you're welcome",
        ],
        zh: &["稍等", "查一下", "帮您", "给您", "为您", "不客气", "没问题", "跟您", "向您"],
    },
    Cue {
        name: "thanks_for",
        odds_milli: 310,
        en: &["thank you for", "thanks for"],
        zh: &["感谢您", "谢谢您", "感谢"],
    },
    Cue {
        name: "understands_or_apologises",
        odds_milli: 500,
        en: &["i understand", "i apologize", "i apologise", "sorry to hear", "my apologies", "sorry about that", "i'm very sorry"],
        zh: &["抱歉", "理解您", "不好意思", "带来不便"],
    },
    Cue {
        name: "says_goodbye",
        odds_milli: 510,
        en: &["have a great", "have a nice", "have a good", "have a wonderful", "enjoy your", "have a lovely"],
        zh: &["祝您", "生活愉快", "再见", "愉快"],
    },
    Cue {
        name: "offers",
        odds_milli: 390,
        en: &["we offer", "this plan", "includes", "i recommend", "i would recommend", "i'd recommend", "at no extra"],
        zh: &["推荐", "建议您", "套餐", "优惠", "保障", "您可以"],
    },
    Cue {
        name: "states_need",
        odds_milli: -1820,
        en: &[
            "i need", "i want", "i wanted", "i would like", "i'd like", "i'm calling about", "i was wondering", "can you tell me",
            "can you help", "could you help", "i'm trying", "i have a question", "i have a problem", "i was told", "i lost",
            "i received", "i got", "i bought", "i ordered", "i've been", "i can't", "i don't know", "i don't remember",
        ],
        zh: &["我想", "我要", "我需要", "我打电话", "帮我", "我就", "给我", "我自己", "我打算", "我记得"],
    },
    Cue { name: "my_thing", odds_milli: -580, en: &[], zh: &[] },
    Cue { name: "reads_digits", odds_milli: -540, en: &[], zh: &[] },
    Cue {
        name: "objects",
        odds_milli: -740,
        en: &[
            "too expensive", "not interested", "think about it", "can't afford", "already have", "don't need", "don't call",
            "too much money", "no thanks", "no thank you", "that's a lot",
        ],
        zh: &["太贵", "不感兴趣", "考虑一下", "考虑考虑", "不需要", "没时间", "不用了", "有点贵", "商量"],
    },
    Cue {
        name: "complains",
        odds_milli: -700,
        en: &["ridiculous", "unacceptable", "your manager", "your supervisor", "you guys", "your company", "you people", "fed up"],
        zh: &["投诉", "太差", "你们", "什么意思"],
    },
    Cue {
        name: "confirms",
        odds_milli: -740,
        en: &[
            "yes it is", "yes that is", "yes that's", "that's right", "yes please", "yes i do", "yeah", "yes", "sure", "yep", "okay",
            "ok", "perfect", "great thanks", "hello", "uh",
        ],
        zh: &["对", "是的", "嗯", "行", "好的", "好啊", "知道了", "你好", "喂"],
    },
    Cue {
        name: "thanks_the_rep",
        odds_milli: -570,
        en: &["thank you so much", "for your help", "thanks so much", "that's all", "that is all", "that's it", "that will be all"],
        zh: &["谢谢你", "麻烦你", "谢谢啊", "好的谢谢", "太好了"],
    },
    Cue {
        name: "asks_about",
        odds_milli: -950,
        en: &["how much", "how long", "how do i", "can i get", "is there any", "is there a", "when will", "what if", "why is", "why was"],
        zh: &["多少钱", "怎么样", "哪里", "有没有", "多少", "请告诉我", "什么时候", "能不能", "为什么", "呢", "吗"],
    },
];
