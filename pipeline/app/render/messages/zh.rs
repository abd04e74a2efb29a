//! Chinese messages: full-width punctuation, a space between Chinese characters and figures.

use callmark_core::journey::{ItemState, MentionKind, OpportunityStatus, TouchpointKind};
use callmark_core::performance::{CoachingVerdict, GroupGap, IndicatorKind, Measure, Stage, WeakStage, WeightProfile};
use callmark_core::record::{Decision, Outcome, Severity, Status, UnscoredReason, Verdict};
use callmark_core::recording::{Direction, Language};
use callmark_core::signals::Metric;
use callmark_core::transcript::{Role, RoleMethod};
use callmark_core::warning::Warning;
use jiff::civil::Weekday;

use super::Messages;
use crate::clips::NoClips;

pub static MESSAGES: Messages = Messages {
    language: Language::Zh,
    tag: "zh-CN",

    status: |status| match status {
        Status::Scored => "已评分",
        Status::Unscored => "无评分",
        Status::PendingReview => "待复核",
        Status::Failed => "处理失败",
    },
    verdict: |verdict| match verdict {
        Verdict::Pass => "合格",
        Verdict::Coach => "需辅导",
        Verdict::Flag => "需关注",
        Verdict::AutoFail => "一票否决",
    },
    outcome: |outcome| match outcome {
        Outcome::Met => "做到",
        Outcome::Missed => "未找到",
        Outcome::Violated => "出现",
        Outcome::Clear => "未出现",
        Outcome::NotApplicable => "不适用",
        Outcome::Unknown => "未定",
    },
    severity: |severity| match severity {
        Severity::Fatal => "致命项",
        Severity::Major => "重要项",
        Severity::Minor => "一般项",
        Severity::Bonus => "加分项",
        Severity::Advisory => "提示项",
    },
    reason: |reason| match reason {
        UnscoredReason::TooShort => "通话过短",
        UnscoredReason::OneSided => "只有一方说话",
        UnscoredReason::MonoRolesUnknown => "单声道，无法区分说话人",
        UnscoredReason::RoleUncertain => "无法确定哪一方是坐席",
        UnscoredReason::LowRecogniserConfidence => "识别可信度过低",
        UnscoredReason::WrongLanguage => "模型不支持该语言",
        UnscoredReason::Voicemail => "语音信箱",
        UnscoredReason::Ivr => "语音菜单",
        UnscoredReason::NoConversation => "没有对话",
        UnscoredReason::NotAnswered => "无人接听",
        UnscoredReason::Busy => "忙音",
        UnscoredReason::Fax => "传真",
        UnscoredReason::NoScorecard => "没有适用的评分表",
        UnscoredReason::NothingApplicable => "评分表中没有适用项",
    },
    remedy: |reason| match reason {
        UnscoredReason::TooShort => "无需处理：不足 30 秒的说话无法评判。",
        UnscoredReason::OneSided => "请检查双方是否都已录音，并抽听其中一通。",
        UnscoredReason::MonoRolesUnknown => "请改用双声道录音（每方一个声道），或提供带说话人的文字稿。",
        UnscoredReason::RoleUncertain => "若已知坐席在哪个声道，请在 callmark.toml 中设置 `channels`。",
        UnscoredReason::LowRecogniserConfidence => {
            "请换用更大的识别模型（`callmark models list`），或把产品名加入 `vocabulary`。"
        }
        UnscoredReason::WrongLanguage => "请使用支持该语言的模型。",
        UnscoredReason::Voicemail => "无需处理：问候语不是对话。",
        UnscoredReason::Ivr => "无需处理：语音菜单不是对话。",
        UnscoredReason::NoConversation => "请抽听其中一通：没有声音多半是录音系统的问题。",
        UnscoredReason::NotAnswered | UnscoredReason::Busy => "无需处理：没有接通任何人。",
        UnscoredReason::Fax => "无需处理；若客户号码是传真机，请从名单中移除。",
        UnscoredReason::NoScorecard => "请在 callmark.toml 中为这些通话添加 [[route]]。",
        UnscoredReason::NothingApplicable => "请检查该路由的评分表是否适合这些通话。",
    },
    role: |role| match role {
        Role::Rep => "坐席",
        Role::Customer => "客户",
        Role::Unknown => "说话人",
        Role::Ivr => "语音系统",
        Role::Supervisor => "主管",
        Role::TransferTarget => "转接坐席",
    },
    role_method: |method| match method {
        RoleMethod::ChannelMap => "声道配置",
        RoleMethod::Inferred => "说话内容",
        RoleMethod::Labelled => "文字稿中的说话人",
        RoleMethod::Reviewed => "人工确认",
        RoleMethod::None => "无",
    },
    direction: |direction| match direction {
        Direction::Inbound => "呼入",
        Direction::Outbound => "呼出",
    },
    decision: |decision| match decision {
        Decision::Agree => "认可",
        Decision::Overturn => "推翻",
        Decision::Comment => "批注",
    },
    metric: |metric| match metric {
        Metric::RepTalkSharePermille => "坐席说话占比",
        Metric::LongestMonologueRepMs => "坐席最长独白",
        Metric::LongestMonologueCustomerMs => "客户最长独白",
        Metric::InterruptionsRepPer10minMilli => "坐席每 10 分钟打断次数",
        Metric::InterruptionsCustomerPer10minMilli => "客户每 10 分钟打断次数",
        Metric::UnexcusedSilencePermille => "未说明的静默占比",
        Metric::LongestUnexcusedSilenceMs => "最长未说明的静默",
        Metric::ResponseLatencyRepMs => "坐席应答时间",
        Metric::PaceRep => "坐席语速",
        Metric::PaceCustomer => "客户语速",
        Metric::NeedsQuestions => "需求提问数",
        Metric::QuestionsRep => "坐席提问数",
        Metric::NeedsRestated => "需求复述数",
        Metric::SpinKinds => "SPIN 提问种类",
        Metric::StageCoveragePermille => "话术阶段覆盖率",
        Metric::StageOrderPermille => "话术阶段顺序",
        Metric::ObjectionsAnsweredPermille => "异议回应率",
        Metric::SentimentCustomerLastQuarterMilli => "结尾客户情绪",
        Metric::SentimentCustomerShiftMilli => "客户情绪变化",
        Metric::SentimentCustomerRecoveredPermille => "客户情绪回升",
        Metric::DatedNextSteps => "有日期的下一步",
        Metric::SummaryConfirmed => "总结得到确认",
        Metric::PatienceMs => "等待时间",
        Metric::InteractivityMilliPerMin => "每分钟轮换次数",
        Metric::EmpathyPhrases => "共情用语数",
        Metric::DurationMs => "通话时长",
        Metric::TalkTimeMs => "说话时长",
        Metric::HoldMs => "等待时长（音乐或已说明）",
        Metric::QuestionsRepMilliPerMin => "坐席每分钟提问数",
        Metric::PaceCustomerChangePermille => "客户语速变化",
        Metric::LoudnessRepCentiDbfs => "坐席音量",
        Metric::LoudnessCustomerCentiDbfs => "客户音量",
        Metric::LoudnessRepGradeMilli => "坐席音量等级",
        Metric::LoudnessCustomerGradeMilli => "客户音量等级",
        Metric::EnergyCustomerChangeCentiDb => "客户音量变化",
        Metric::PitchRepCents => "坐席平均音高",
        Metric::PitchCustomerCents => "客户平均音高",
        Metric::PitchVariationRepCents => "坐席音高变化",
        Metric::PitchVariationCustomerCents => "客户音高变化",
    },
    metric_what: |metric| match metric {
        Metric::RepTalkSharePermille => "坐席说话时间占双方说话时间的比例。",
        Metric::LongestMonologueRepMs => "坐席连续说话、客户至多应声的最长一段。",
        Metric::LongestMonologueCustomerMs => "客户连续说话、坐席至多应声的最长一段。",
        Metric::InterruptionsRepPer10minMilli => "客户正在说话时坐席开口的次数，按每 10 分钟计。",
        Metric::InterruptionsCustomerPer10minMilli => "坐席正在说话时客户开口的次数，按每 10 分钟计。",
        Metric::UnexcusedSilencePermille => "坐席未说明的 3 秒以上空白占通话的比例。",
        Metric::LongestUnexcusedSilenceMs => "坐席未说明的 3 秒以上空白中最长的一段。",
        Metric::ResponseLatencyRepMs => "客户说完到坐席开口的时间中位数；负数表示坐席常常抢话。",
        Metric::PaceRep => "坐席自身说话的语速（中文为字/分钟，英文为词/分钟）。",
        Metric::PaceCustomer => "客户自身说话的语速（中文为字/分钟，英文为词/分钟）。",
        Metric::NeedsQuestions => "坐席询问客户需求的话轮数。",
        Metric::QuestionsRep => "坐席的提问数。",
        Metric::NeedsRestated => "坐席复述客户需求的话轮数。",
        Metric::SpinKinds => "提问的种类：现状、问题、影响、收益。",
        Metric::StageCoveragePermille => "出现过的话术阶段占全部阶段的比例。",
        Metric::StageOrderPermille => "按话术顺序出现的阶段占已出现阶段的比例。",
        Metric::ObjectionsAnsweredPermille => "坐席在四个话轮内回应的客户异议比例。",
        Metric::SentimentCustomerLastQuarterMilli => "通话最后四分之一里客户用语的情绪，−5 到 +5。",
        Metric::SentimentCustomerShiftMilli => "客户用语的情绪：最后四分之一减去最初四分之一，−10 到 +10。",
        Metric::SentimentCustomerRecoveredPermille => "客户开始时不满，结束时满意。",
        Metric::DatedNextSteps => "坐席说出带日期或时间的下一步的话轮数。",
        Metric::SummaryConfirmed => "客户确认了坐席的总结。",
        Metric::PatienceMs => "客户说完后坐席等待的时间中位数。",
        Metric::InteractivityMilliPerMin => "每分钟通话中双方轮换的次数。",
        Metric::EmpathyPhrases => "坐席表示理解的话轮数。",
        Metric::HoldMs => "坐席事先说明的或播放音乐的、超过 3 秒的停顿。",
        Metric::QuestionsRepMilliPerMin => "每分钟通话中坐席的提问数。",
        Metric::PaceCustomerChangePermille => "客户结尾语速比开头快多少。",
        Metric::LoudnessRepCentiDbfs => "坐席在线路上的音量。",
        Metric::LoudnessCustomerCentiDbfs => "客户在线路上的音量。",
        Metric::LoudnessRepGradeMilli => "坐席音量的等级，1 到 10。",
        Metric::LoudnessCustomerGradeMilli => "客户音量的等级，1 到 10。",
        Metric::EnergyCustomerChangeCentiDb => "客户结尾音量比开头高多少。",
        Metric::PitchRepCents => "坐席声音的高低。",
        Metric::PitchCustomerCents => "客户声音的高低。",
        Metric::PitchVariationRepCents => "坐席声音高低起伏的程度。",
        Metric::PitchVariationCustomerCents => "客户声音高低起伏的程度。",
        Metric::DurationMs => "通话的长度。",
        Metric::TalkTimeMs => "有人说话的时间。",
    },
    metric_coach: |metric| match metric {
        Metric::RepTalkSharePermille => "提一个开放式问题，然后等客户把话说完。",
        Metric::LongestMonologueRepMs => "说两句就停下来，问一问客户是否认同。",
        Metric::LongestMonologueCustomerMs => "先总结已说的内容，再请客户继续。",
        Metric::InterruptionsRepPer10minMilli => "让客户说完，心里数一下再回答。",
        Metric::InterruptionsCustomerPer10minMilli => "回答越短，越不容易被打断。",
        Metric::UnexcusedSilencePermille | Metric::LongestUnexcusedSilenceMs => {
            "查询之前先说一声：请稍等，我正在打开您的合同。"
        }
        Metric::ResponseLatencyRepMs => "客户说完后停半秒再开口，不要停三秒。",
        Metric::PaceRep => "跟着客户的语速说，数字和条款要放慢。",
        Metric::PaceCustomer => "与客户的语速保持一致。",
        Metric::NeedsQuestions | Metric::QuestionsRep => "介绍产品之前先问情况：您最看重的是什么？",
        Metric::NeedsRestated => "用一句话复述：您需要的是……，对吗？",
        Metric::SpinKinds => "问完现状，再问问题带来的损失，以及解决后值多少。",
        Metric::StageCoveragePermille => "把话术阶段放在屏幕旁，逐项打勾。",
        Metric::StageOrderPermille => "先需求，再方案，然后是下一步。",
        Metric::ObjectionsAnsweredPermille => "遇到异议马上回应：我理解，请问您是和什么作比较？",
        Metric::SentimentCustomerLastQuarterMilli | Metric::SentimentCustomerShiftMilli => {
            "结尾说清约定并致谢，再问一句还有没有其他问题。"
        }
        Metric::SentimentCustomerRecoveredPermille => "先说出客户的困扰，再说接下来怎么办。",
        Metric::DatedNextSteps => "结尾定下日期和时间：我星期四上午十点给您回电。",
        Metric::SummaryConfirmed => "用一句话总结，再问：对吗？",
        Metric::PatienceMs => "客户说完后稍等片刻。",
        Metric::InteractivityMilliPerMin => "短句和提问让通话保持为对话。",
        Metric::EmpathyPhrases => "先表示理解，再作解释。",
        Metric::HoldMs
        | Metric::QuestionsRepMilliPerMin
        | Metric::PaceCustomerChangePermille
        | Metric::LoudnessRepCentiDbfs
        | Metric::LoudnessCustomerCentiDbfs
        | Metric::LoudnessRepGradeMilli
        | Metric::LoudnessCustomerGradeMilli
        | Metric::EnergyCustomerChangeCentiDb
        | Metric::PitchRepCents
        | Metric::PitchCustomerCents
        | Metric::PitchVariationRepCents
        | Metric::PitchVariationCustomerCents => "先听这些片段，再下结论。",
        Metric::DurationMs | Metric::TalkTimeMs => "先看时间花在哪里，再谈缩短。",
    },
    dimension: |id| {
        Some(match id {
            "compliance" => "合规",
            "script_flow" => "话术流程",
            "discovery" => "需求挖掘",
            "handling" => "沟通处理",
            "customer_emotion" => "客户情绪",
            "close" => "收尾",
            _ => return None,
        })
    },
    warning: |warning, values| {
        let value = |n: usize| values.get(n).copied().unwrap_or_default();
        let (a, b, c) = (value(0), value(1), value(2));
        match warning {
            Warning::FirstSide => format!("第一个录音：{a}"),
            Warning::SecondSide => format!("第二个录音：{a}"),
            Warning::HeaderSaysZeroBytes => "WAV 文件头称声音为 0 字节；已读取文件其余部分".into(),
            Warning::HeaderWithoutLength => "WAV 文件头没有长度（流式录音）；已读取文件其余部分".into(),
            Warning::HeaderPromisesBytes => format!("WAV 文件头称有 {a} 字节声音，文件只有 {b} 字节；很可能被截断"),
            Warning::HeaderSaysZeroBits => format!("WAV 文件头称每个采样 0 位；按 {a} 位读取"),
            Warning::HeaderPromisesMore => format!("{a} 文件头所称的声音比文件中的多；很可能被截断"),
            Warning::EndsInData => format!("{a} 文件在数据中途结束"),
            Warning::SeveralStreams => format!("{a} 文件含有多个音频流；只读取了第一个"),
            Warning::DamagedFrom => format!("{a} 文件从 {b} 毫秒起损坏：{c}"),
            Warning::RateChangesOften => format!("采样率反复变化；{a} 毫秒之后的部分未读取"),
            Warning::Joined => format!("{a} 文件在文件头所称的结尾之后仍有内容；很可能拼接了另一个文件"),
            Warning::DamagedPackets => format!("跳过了 {a} 个损坏的数据包"),
            Warning::RateChanges => "文件中采样率有变化；已全部转换为 16 kHz".into(),
            Warning::LayoutChanges => "文件中声道数有变化；保留了最初的声道布局".into(),
            Warning::DamagedGsmFrames => format!("{a} 个损坏的 GSM 帧（每帧 20 毫秒）被置为静音"),
            Warning::EndsInGsmFrame => "文件在 GSM 帧中途结束；很可能被截断".into(),
            Warning::StrayBytes => format!("跳过了 {b} 文件中不属于任何帧的 {a} 个字节"),
            Warning::EndsInFrame => format!("{a} 文件在最后一帧中途结束；很可能被截断"),
            Warning::ReadByName => format!("文件内容未说明格式；按文件名以 {a}、单声道读取"),
            Warning::SideOffsetHeard => {
                format!("每方一个录音：从一方听到的另一方声音判断，第二个比第一个晚 {a} 毫秒开始")
            }
            Warning::SidesUnlikeInLength => {
                format!("每方一个录音，长度相差 {a} 毫秒：视为同时开始（可用元数据 `offset_ms` 更正）")
            }
            Warning::Leaking => "一个声道中能听到另一个声道".into(),
            Warning::SameSound => "两个声道声音相同：按单声道处理".into(),
            Warning::MonoTwoSpeakers => "单声道：已按嗓音区分出两位说话人".into(),
            Warning::MonoOneVoice => "单声道：只有一个嗓音，或嗓音过于相似，无法区分".into(),
            Warning::LanguageNotKnown => "未转写：识别模型不支持该通话的语言".into(),
            Warning::ChannelsNotListenedTo => format!("{a} 个声道未指定角色，未被识别"),
            Warning::ChannelsWithoutSpeech => format!("{a} 个没有语音的声道被略去"),
            Warning::RolesSwapped => "坐席与客户可能颠倒：说话内容与声道配置矛盾".into(),
            Warning::CuesThatEndEarly => format!("{a} 条字幕的结束早于开始：其时长按 0 计"),
            Warning::CuesOfSeveral => format!("{a} 条字幕含有多位说话人：时间按文字长度分配"),
            Warning::LengthThatCannotBe => "通话时长不可信：改用最后一句的结束时间".into(),
            Warning::TimesMissing => format!("{a} 句话缺少时间或时间不是整数：该通话按无时间读取"),
            Warning::WordsThatCannotBe => format!("{a} 个词的时间或置信度不可信：未列入词表"),
            Warning::SpeakersNotNamed => format!("{a} 句话没有标明是坐席还是客户"),
            Warning::WordsPurged => "原话已清除；评分与时间予以保留".into(),
        }
    },
    dropped: |guard| {
        Some(match guard {
            "unreadable_cue" => "无法读取的字幕",
            "line_before_first_speaker" => "第一个说话人之前的行",
            "system_message" => "系统消息",
            "too_quiet" => "音量过低的片段",
            "no_speech" => "没有说话的片段",
            "repetition" => "自我重复的片段",
            "phantom_phrase" => "无人说过的套话",
            "not_speech_tag" => "音乐或噪声标记",
            "low_probability" => "概率过低的片段",
            "too_fast" => "快于正常语速的片段",
            "babble" => "多人嘈杂声片段",
            _ => return None,
        })
    },
    stage: |stage| {
        Some(match stage {
            "read" => "读取",
            "decode" => "解码",
            "voice_activity" => "语音检测",
            "recognise" => "识别",
            "analyse" => "分析",
            _ => return None,
        })
    },
    weekday: |day| match day {
        Weekday::Monday => "周一",
        Weekday::Tuesday => "周二",
        Weekday::Wednesday => "周三",
        Weekday::Thursday => "周四",
        Weekday::Friday => "周五",
        Weekday::Saturday => "周六",
        Weekday::Sunday => "周日",
    },
    percent: |n| format!("{n}%"),
    seconds: |s| format!("{s} 秒"),
    words_per_minute: |n| format!("{n} 词/分钟"),
    characters_per_minute: |n| format!("{n} 字/分钟"),

    skip: "跳到正文",
    breadcrumbs: "当前位置",
    team_page: "团队",
    rep_name: |rep| format!("坐席 {rep}"),
    call_name: |call| format!("通话 {call}"),
    unassigned: "坐席未知",
    print_note: "仅供内部使用：含通话内容。",
    sort_by: |column| format!("按“{column}”排序"),
    data: "图表数据",
    scroll_table: |table| format!("{table}（可左右滚动）"),
    keys: "快捷键",
    keys_list: &[
        ("j / k", "下一个、上一个标记"),
        ("空格", "播放、暂停"),
        ("← / →", "后退、前进 3 秒"),
        ("1 – 4", "倍速 1 × – 2 ×"),
        ("?", "本列表"),
        ("esc", "关闭"),
    ],
    close: "关闭",
    no_script: "脚本已停用：排序、播放和联动需要脚本，其余内容都在这里。",
    page_of: |page, pages| format!("第 {page} 部分，共 {pages} 部分"),
    previous_page: "较新",
    next_page: "较早",

    morning_title: |day| format!("晨会简报：{day}"),
    morning_empty: "晨会简报",
    morning_first: "先找谁谈",
    morning_first_note: "依据截至当天的四周：已确认的一票否决，或整个 95% 区间低于标准线。",
    morning_nobody: "没有：没有哪位坐席的整个区间低于标准线，也没有已确认的一票否决。",
    morning_best: "做得好的",
    morning_best_note: "大家最常漏掉、而这里做到了的片段。",
    morning_misses: "值得吸取的教训",
    morning_misses_note: "先列最严重的，再列失分最多的。",
    morning_none: "当天的通话里没有这类片段。",
    morning_better: "改进建议",
    attention_fatal: |calls| format!("{calls} 通电话有已确认的一票否决。"),
    attention_band: |high, line| format!("整个区间（最高 {high}）低于 {line}。"),
    attention_team: |high, line| format!("整个区间（最高 {high}）低于团队允许的水平（{line}）。"),

    journeys_title: "商机",
    journeys_waiting: "等待跟进的商机",
    journeys_as_of: |day| format!("截至{day}：承诺后无人跟进、高价值无人联系、联系频繁而客户未参与。"),
    journeys_nothing: "没有：没有逾期的承诺，没有被忽视的高价值商机，联系频繁处客户都有参与。",
    journeys_more: |n| format!("报告中还有 {n} 个。"),
    journeys_all: "全部商机",
    journeys_note: "清单：只计已达成或未达成的项，未到期或无法判断的不扣分。健康度：活跃度（新近度、次数）与实质（双向性、谈话热度）的几何平均，为工程经验值，没有学习得到的权重。",
    journey_neglect: |value, line, days| format!("价值 {value}（高价值线 {line}），已有 {days} 天无人联系客户。"),
    journey_stale: |day, days| format!("{day} 承诺了下一步，{days} 天内没有后续联系。"),
    journey_hollow: |touches, days| {
        format!("看似忙碌，实则空转：{days} 天内联系 {touches} 次，没有一次可知客户开口、回复或达成任何约定。")
    },
    journey_opportunity: "商机",
    journey_status_name: "状态",
    journey_status: |status| match status {
        OpportunityStatus::Open => "进行中",
        OpportunityStatus::Contracted => "已签约",
        OpportunityStatus::Closed => "已关闭",
    },
    journey_value: "价值",
    journey_checklist: "清单",
    journey_points: |earned, of| format!("{earned}／{of}"),
    journey_state: |state| match state {
        ItemState::Met => "达成",
        ItemState::Missed => "未达成",
        ItemState::NotDue => "未到期",
        ItemState::Unknown => "无法判断",
    },
    journey_due: |day| format!("最晚 {day}"),
    journey_share: |percent| format!("客户用词有 {percent}% 再次出现"),
    journey_event: |kind| match kind {
        TouchpointKind::FirstContact => "首次接触",
        TouchpointKind::NeedGraded => "需求分级",
        TouchpointKind::Proposal => "方案",
        TouchpointKind::CrossTeamStep => "跨团队协作",
        TouchpointKind::Contract => "签约",
        TouchpointKind::Delivery => "交付",
        TouchpointKind::Visit => "拜访",
        TouchpointKind::Call => "通话",
        TouchpointKind::Message => "消息",
        TouchpointKind::Reply => "客户回复",
        TouchpointKind::NextStep => "承诺的下一步",
        TouchpointKind::Closed => "关闭",
    },
    journey_health: "健康度",
    journey_recency: "新近度",
    journey_number: "次数",
    journey_two_sided: "双向性",
    journey_heat: "谈话热度",
    journey_last_touch: "最近联系",
    journey_words: "客户原话",
    journey_said: |kind| match kind {
        MentionKind::Worry => "担忧",
        MentionKind::Need => "需求",
        MentionKind::DecisionMaker => "谁做决定",
        MentionKind::DecisionMakerChange => "决策人变动",
    },

    indicators_title: "通话与业绩",
    indicators_all: "按团队和坐席查看指标，含过程分与结果分",
    indicators_days: |first, last| format!("导入的通话记录与销售数据：{first} 至 {last}"),
    indicators_note: "过程分：坐席通话质量的估计值。结果分：有目标值的各项指标按权重的平均。综合分只能与这两部分一起看；结果分占多少取决于权重方案和在岗时间。比率附 95% 区间。",
    indicators_whole: "全部导入日期",
    indicators_month: |month| format!("月份 {month}"),
    indicators_month_name: "月份",
    indicators_days_worked: "工作日",
    indicators_process: "过程分",
    indicators_outcome: "结果分",
    indicators_blended: "综合分",
    indicators_weight: "结果分权重",
    indicators_profile: "权重方案",
    indicators_profile_name: |profile| match profile {
        WeightProfile::Sprint => "冲刺期",
        WeightProfile::Mature => "成熟期",
        WeightProfile::NewHire => "新人期",
    },
    indicators_tenure: "在岗天数",
    indicators_parts: |process, outcome, blended, weight| {
        format!("过程分 {process} · 结果分 {outcome} · 综合分 {blended}（结果分占 {weight}%）")
    },
    indicators_calls: "该坐席的通话",
    indicators_association: |rho, low, high, reps| {
        format!("{reps} 名坐席的通话质量与转化率：秩相关系数 {rho}（{low} 至 {high}）。这是关联，不是因果。")
    },
    indicators_no_association: "通话质量与转化率的关系暂无结论：两者都有的坐席不足 8 名。",
    indicators_targets: "达到现行目标的坐席",
    indicators_targets_note: "只计当月工作满五天的坐席。人人都能达到的目标区分不出任何人。各月均按现行目标衡量：以前的目标是多少，这里无从得知。",
    of_reps: |part, of| format!("{part}／{of} 名"),
    indicators_team: |reps, days| format!("坐席 {reps} 名，共 {days} 个工作日"),
    indicators_name: "指标",
    indicators_value: "数值",
    indicators_base: |n, what| format!("{what} {n}"),
    indicators_target: "目标",
    indicators_target_new_hire: |full, new_hire| format!("{full}（新人：{new_hire}）"),
    indicators_no_target: "无",
    indicators_weak_stage: |stage| match stage {
        WeakStage::Discovery => "商机多、成交少，需求挖掘低于团队：请听听推荐之前都问了什么。",
        WeakStage::Offer => "商机多、成交少，需求挖掘正常：请听听方案和异议是怎么处理的。",
    },
    indicators_leads: |break_even, pays| {
        let verdict = match pays {
            Some(true) => "已达到",
            Some(false) => "未达到",
            None => "尚无定论，区间包含该值，或线索数未知",
        };
        format!("线索成本的盈亏平衡转化率为 {break_even}%：{verdict}。")
    },
    indicators_no_call_log: "没有通话记录：凡有数据的日子都算工作日。",
    indicators_more_deals: "成交数多于其分母：不计转化率。",
    indicator: |kind| match kind {
        IndicatorKind::CallsPerDay => "日均拨打数",
        IndicatorKind::ConnectRate => "接通率",
        IndicatorKind::TalkPerDay => "日均通话分钟",
        IndicatorKind::OpportunitiesPerWeek => "周均商机数",
        IndicatorKind::Conversion => "转化率",
        IndicatorKind::RevenuePerCall => "每通接通电话的收入",
        IndicatorKind::FirstContactResolution => "首次解决率",
        IndicatorKind::ComplaintsPer100 => "每百通投诉数",
        IndicatorKind::RepurchaseRate => "老客户成交占比",
        IndicatorKind::CoverageGrowth => "客户覆盖增长",
    },
    measure: |measure| match measure {
        Measure::Dialled => "拨打数",
        Measure::Connected => "接通数",
        Measure::Talk => "通话时长",
        Measure::Leads => "线索数",
        Measure::Opportunities => "商机数",
        Measure::Deals => "成交数",
        Measure::Revenue => "收入",
        Measure::Complaints => "投诉数",
        Measure::Repurchases => "复购数",
        Measure::Cases => "事项数",
        Measure::FirstContactResolved => "首次解决数",
        Measure::Customers => "覆盖客户数",
    },

    report_title: "通话质量",
    period: |first, last| format!("{first} 至 {last}"),
    one_day: |day| day.to_string(),
    no_period: "没有日期的通话",
    calls: |n| format!("{n} 通"),
    n_scored: "已评分",
    n_pending: "待复核",
    n_unscored: "无评分",
    n_failed: "处理失败",
    mean_score: "平均分",
    interval_95: |low, high| format!("95% 区间：{low} 至 {high}"),
    one_call_no_interval: "仅一通电话，无法给出区间",
    first_heading: "先做什么",
    nothing_first: "没有特别的事项：没有待复核的通话，没有处理失败，也没有哪位坐席的区间低于平均分。",
    first_fatal: |n, what| format!("{n} 通电话被确认为一票否决，主要是：{what}。"),
    first_pending: |n, what| format!("{n} 通电话等待复核决定，主要涉及：{what}。"),
    first_failed: |n, hint| format!("{n} 个录音无法处理，主要提示：{hint}。"),
    first_unscored: |n, of, reason, remedy| format!("{of} 通中有 {n} 通没有评分，主要原因：{reason}。{remedy}"),
    first_rep: |rep, estimate, mean, requirement| {
        format!("{rep}：整个区间（{estimate}）低于平均分 {mean}，失分最多的是：{requirement}。")
    },
    first_requirement: |what, failed, applicable, points| {
        format!("{what}：{applicable} 通中有 {failed} 通在此失分，平均每通失 {points} 分。")
    },
    empty_heading: "还没有通话",
    empty_what: "库中没有符合本报告条件的通话。",
    empty_next: "请用 `callmark run 文件夹` 为录音评分，或放宽 --since、--until、--team、--rep。",
    nothing_scored: "本报告中没有一通电话得到评分；原因和处理办法见下。",
    reps_heading: "坐席",
    reps_note: "圆点：按活动和通话类型校正后的估计；横线：95% 区间；细竖线：全部通话的平均分。坐标从 0 到 100。",
    rep: "坐席",
    team: "团队",
    scored_calls: "通话数",
    estimate: "得分",
    rank: "名次",
    rank_range: |low, high, n| {
        if low == high {
            format!("第 {low} 名，共 {n} 名")
        } else {
            format!("第 {low}–{high} 名，共 {n} 名")
        }
    },
    trend: "趋势",
    trend_up: |points, low, high| format!("上升 {points} 分（95% 区间：{low} 至 {high}）"),
    trend_down: |points, low, high| format!("下降 {points} 分（95% 区间：{low} 至 {high}）"),
    no_trend: "变化未超出波动范围",
    flags_per_call: "标记/通",
    work_on: "最先改进",
    insufficient: "数据不足",
    insufficient_calls: |n, of| format!("需 {of} 通，现有 {n} 通"),
    insufficient_spread: "坐席差异太小",
    insufficient_reps: "可比较的坐席太少",
    insufficient_no_rep: "没有坐席信息的通话",
    insufficient_no_score: "没有已评分的通话",
    note_no_start: |n| format!("{n} 通没有开始时间"),
    note_scorecards: "混有多个评分表或版本",
    note_models: "混有多组模型",
    note_teams: "含多个团队的通话",
    teams_heading: "团队",
    hours_heading: "时段与星期",
    hours_note: "按通话开始时间所示的时刻统计。不足 5 通的格子为灰色：其平均分说明不了什么。",
    volume: "通话数",
    quality: "平均分",
    hour_volume: |day, hour, n| format!("{day} {hour:02}:00：{n} 通"),
    hour_quality: |day, hour, mean, n| format!("{day} {hour:02}:00：{n} 通的平均分为 {mean}"),
    dip: "比其他时段差",
    hour_dip: |day, hour, interval, mean, n| {
        format!(
            "{day} {hour:02}:00：按各时段相同的人员与通话构成折算，得分为 {interval}，低于平均分 {mean}（{n} 通）。"
        )
    },
    hour_dip_note: "标有 ▾ 的时段，无论谁值班、来的是哪类通话都更差；请查看该时段有何特殊：排班、休息、系统。",
    hour_no_score: |day, hour| format!("{day} {hour:02}:00：没有已评分的通话"),
    weekday_heading: "星期",
    requirements_heading: "要求与指标",
    requirements_note: "失分最多的在前。“未达到”指应有的没有找到，或不应有的出现了。每个数字都可点开查看通话。",
    requirement: "要求",
    met: "达到",
    not_met: "未达到",
    not_applicable: "不适用",
    unknown: "未定",
    points_per_call: "每通失分",
    precision: "准确率",
    precision_value: |value, low, high, n| format!("{value}（{low}–{high}），n = {n}"),
    not_reviewed: "未复核",
    honesty_heading: "这份报告有多可信",
    honesty_unknown: |share, n, of| format!("{share} 的结果未定（{of} 项中的 {n} 项）。"),
    honesty_near_floor: |n, of| format!("{of} 通中有 {n} 通的识别可信度接近或低于模型的下限。"),
    honesty_reviewed: |overturned, reviewed| format!("复核人员查看了 {reviewed} 条结果，推翻了 {overturned} 条。"),
    honesty_not_reviewed: "本报告的结果尚无人复核，误判率未知。",
    honesty_false: |what, overturned, reviewed| format!("{what}：复核的 {reviewed} 条中有 {overturned} 条被推翻。"),
    honesty_heap: |rep, card, line, inside, outside, expected| {
        format!(
            "{rep}：按评分表 {card}，刚过及格线（{line} 分）的有 {inside} 通，刚差一点的有 {outside} 通，按常理刚过线的应有约 {expected} 通。请抽听其中几通：可能是努力到及格为止，也可能是分数被动了手脚。"
        )
    },
    honesty_inflation: |score, mood, reps| {
        format!(
            "{reps} 名坐席后半段的得分比前半段高 {score} 分，但客户在通话结尾的情绪并未好转（−5…+5 上为 {mood}）：请想一想，被照顾好的是评分表，还是客户。"
        )
    },
    honesty_recognition_gap: |gap, reps| {
        format!(
            "同一坐席的通话中，识别更可靠的那一半得分相差 {gap} 分（{reps} 名坐席）：看似质量的差别，有一部分可能来自识别。"
        )
    },
    honesty_language_gap: |gap, reps| {
        format!(
            "同一坐席的中文通话与英文通话相差 {gap} 分（{reps} 名坐席）：评分表或识别可能对其中一种语言更有利，接另一种语言较多的人会吃亏。"
        )
    },
    honesty_groups: |gap, difference| {
        let GroupGap { first, second, first_reps, second_reps, comparisons, .. } = gap;
        let compared =
            if *comparisons == 1 { String::new() } else { format!("，已就全部 {comparisons} 组比较校正") };
        let what = if gap.beyond_chance {
            "超出偶然。这只是与组别同时出现，不是由组别造成：各组的活动、通话和在岗时间可能不同。该检查的是评分项与识别，不是人。"
        } else {
            "未超出偶然。"
        };
        format!(
            "“{second}”组 {second_reps} 名坐席的平均分与“{first}”组 {first_reps} 名相差 {difference} 分{compared}：{what}"
        )
    },
    honesty_groups_requirement: |name, gap, difference| {
        let GroupGap { first, second, comparisons, .. } = gap;
        format!(
            "“{name}”的达标率，“{second}”组与“{first}”组相差 {difference} 个百分点，是超出偶然的差距中最大的（共比较 {comparisons} 次）：请先核对它在两组中的措辞与证据。"
        )
    },
    honesty_target: |name, reached, reps, month| {
        format!("{name}：{month} 有 {reached}／{reps} 名坐席达到目标，上月也几乎全部达到：它已区分不出任何人。")
    },
    honesty_rises_alone: |name, rise, sold, sales, reps| {
        format!(
            "{name}：{reps} 名坐席后半段的月份比前半段上升 {rise}，而每个工作日的{sold}没有确定的上升：{sales}。请想一想，这个目标是否还服务于成交。"
        )
    },
    honesty_starter: "这些通话由入门模型识别，它只适用于合成语音；真人通话请使用正式模型。",
    honesty_models: |n| format!("混有 {n} 种识别模型的通话，比较时请谨慎。"),
    honesty_scorecards: |list| format!("评分表：{list}。"),
    honesty_interval: "区间只反映抽到哪些通话的偶然性，不包括识别或评分表的错误。",
    unscored_heading: "没有评分的通话",
    unscored_reason: "原因",
    unscored_remedy: "处理办法",
    number_of_calls: "通话数",
    failures_heading: "处理失败的录音",
    file: "文件",
    failed_stage: "阶段",
    cause: "原因",
    hint: "提示",
    more_failures: |n| format!("另有 {n} 个：`callmark run --json` 会全部列出"),

    score_over_time: "得分走势",
    score_over_time_what: |rep, n| format!("{rep} 的 {n} 通电话的得分走势，附平均值和 95% 区间。"),
    own_band: "估计",
    team_band: "团队平均",
    day_mean: "每日平均及 95% 区间",
    week_mean: "每周平均及 95% 区间",
    month_mean: "每月平均及 95% 区间",
    single_call: "单通电话",
    no_dates: "该坐席的已评分通话没有日期。",
    profile: "维度",
    profile_note: "得分占可得分的比例，0 到 100%。圆点和横线：该坐席；竖线：团队。",
    dimension_name: "维度",
    this_rep: "该坐席",
    team_mean: "团队",
    improvements: "最值得改进之处",
    improvements_none: "没有在任何要求上失分。",
    improvement_cost: |points, n, of| format!("平均每通失 {points} 分；{of} 通中有 {n} 通在此失分"),
    what: "是什么",
    why: "为什么",
    how_to_say: "怎么说",
    listen_to: "值得一听的片段",
    good_example: "同事的好例子",
    example_of: |rep, call| format!("{rep}，通话 {call}"),
    no_example: "本报告中没有同事的明确例子。",
    coaching: "辅导",
    coaching_note: "效果以分或百分点计：已扣除本来就会出现的变化和其他人的变化。",
    coaching_plan: "计划",
    coaching_step: "阶段",
    coaching_recheck: "复查起始日",
    coaching_result: "最近结果",
    coaching_stage: |stage| match stage {
        Stage::Warning => "预警",
        Stage::Diagnosis => "诊断",
        Stage::Training => "培训",
        Stage::AccompaniedCalls => "陪听陪打",
        Stage::Recheck => "复查",
        Stage::Closed => "已结束",
    },
    coaching_verdict: |verdict| match verdict {
        CoachingVerdict::Helped => "有效：",
        CoachingVerdict::NoEvidenceYet => "尚无证据：",
        CoachingVerdict::DidNotHelp => "无效：",
    },
    rep_calls: "通话（新的在前）",
    rep_calls_range: |newest, oldest| format!("{newest} 回溯至 {oldest}"),

    list_scored: "已评分的通话",
    list_pending: "等待复核的通话",
    list_auto_failed: "确认一票否决的通话",
    list_unscored: |reason| format!("没有评分的通话：{reason}"),
    list_hour: |day, hour| format!("{day} {hour:02}:00 至 {hour:02}:59 开始的通话"),
    list_requirement: "未达到此项的通话",
    list_empty: "没有通话。",
    when: "时间",
    call: "通话",
    duration: "时长",
    score: "得分",
    result: "结果",
    moments: "片段",
    more_moments: |n| format!("另 {n} 处"),

    no_rep: "坐席未知",
    no_start: "没有开始时间",
    roles_by: |method, confidence| format!("角色依据：{method}（{confidence}）"),
    recogniser: |name, confidence| format!("识别模型 {name}，可信度 {confidence}"),
    recogniser_text: "书面文字",
    scorecard: |name, version| format!("评分表 {name} 第 {version} 版"),
    score_range: |low, high| format!("视未定项而定，在 {low} 至 {high} 之间"),
    waits_for: |what| format!("等待复核：{what}"),
    strip_heading: "通话概览",
    strip_what: |turns, flags, silences| {
        format!(
            "时间从左到右，每个角色一行：{turns} 个话轮，{flags} 处标记，{silences} 段静默。下方的文字稿和计分明细以文字给出同样内容。"
        )
    },
    strip_legend_negative: "负面用语",
    strip_legend_neutral: "中性",
    strip_legend_positive: "正面",
    strip_legend_none: "未评",
    strip_legend_silence: "静默",
    strip_legend_explained: "已说明的静默",
    strip_legend_overtalk: "同时说话",
    strip_legend_pace: "语速",
    silence_of: |length| format!("静默 {length}"),
    silence_explained_of: |length| format!("已说明的静默 {length}"),
    overtalk_of: |who, length| format!("{who}在对方说话时开口，{length}"),
    turn_label: |time, role, more| format!("{time} {role}{more}"),
    pace_of: |pace| format!("，{pace}"),
    sentiment_of: |sentiment| format!("，情绪 {sentiment}"),
    flags_lane: "标记",
    dimensions_heading: "维度",
    transcript_heading: "文字稿",
    transcript_note: "带下划线的是识别不确定的词。",
    no_words: "没有识别出任何内容。",
    word_confidence: |confidence| format!("可信度 {confidence}"),
    ledger_heading: "计分明细",
    ledger_note: "得分是以下各行之和。",
    ledger_empty: "没有明细：无评分的通话没有计分行。",
    show_all_rows: |n| format!("显示未出现和不适用的项（{n}）"),
    points: "分数",
    of_possible: "满分",
    moment: "时刻",
    searched: |from, to| format!("搜索范围 {from}–{to}"),
    measured: |value| format!("测得：{value}"),
    sum_of_rows: "各行之和",
    row_limit: "限制：得分在 0 到 100 之间",
    row_cap: |what| format!("已确认致命项的封顶：{what}"),
    row_review: |what| format!("复核更改：{what}"),
    overall: "总分",
    confidence: |value| format!("可信度 {value}"),
    act_by_model: "语言模型判断的这句话的作用",
    go_to: |time| format!("跳到 {time}"),
    play_from: |time| format!("从 {time} 播放"),
    reviews_heading: "复核记录",
    review_line: |who, decision, what| format!("{who} {decision}：{what}"),
    notes_heading: "关于此录音",
    dropped_line: |what, n| format!("舍弃了 {n} 个{what}"),
    provenance_heading: "结果来源",
    recordings: "录音（SHA-256）",
    program: "程序",
    player: "播放器",
    play: "播放",
    pause: "暂停",
    previous_flag: "上一个标记",
    next_flag: "下一个标记",
    clip_range: |from, to| format!("片段 {from}–{to}"),
    no_clip_here: "此处没有片段",
    no_clips: "本报告未附音频片段。",
    no_clips_because: |reason| match reason {
        NoClips::Text => "以文字形式提供的通话没有声音。".to_string(),
        NoClips::Unknown => "没有音频片段：数据库中没有此通话的录音。".to_string(),
        NoClips::Gone { file_name } => format!("没有音频片段：录音 {file_name} 已不在原处。"),
        NoClips::Unreadable { file_name, cause } => format!("没有音频片段：无法读取 {file_name}（{cause}）。"),
        NoClips::Changed { file_name } => format!("没有音频片段：{file_name} 现在是另一段录音。"),
        NoClips::Audio { file_name, cause } => format!("没有音频片段：无法解码 {file_name}（{cause}）。"),
        NoClips::Store(cause) => format!("没有音频片段：无法读取数据库（{cause}）。"),
    },
    waveform: "片段音量",
};
