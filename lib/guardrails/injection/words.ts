/**
 * Words that mean the same in a rule, by the name a pattern uses. Words are compared folded: lower case, no diacritics.
 * Several words in a row are joined by `_`.
 */
export const WORDS: Readonly<Record<string, string>> = {
  ignore:
    'ignore ignores ignoring ignored disregard disregarding disregarded forget forgetting forgot neglect overlook skip bypass bypassing override overriding overrule dismiss discard drop abandon erase delete cancel stop_following do_not_follow dont_follow pay_no_attention_to throw_away set_aside',
  previous:
    'previous prior above preceding earlier foregoing before past former original initial existing current preset built_in given everything all any your these those the_first old',
  strictly_previous:
    'previous prior above preceding earlier foregoing former all_previous original initial existing',
  instructions:
    'instruction instructions instruct prompt prompts directive directives command commands rule rules guideline guidelines guidance order orders guardrail guardrails constraint constraints restriction restrictions programming training policy policies safeguard safeguards messages conversation context assignments directions protocols',
  told: 'told said written instructed asked learned know given',
  reveal:
    'reveal show print output display repeat write tell give share expose leak dump disclose return send post provide list recite echo summarize summarise translate encode spell copy paste describe explain extract retrieve get see read_out read_me say type state quote enumerate what',
  system_prompt:
    'system_prompt systemprompt system_prompts system_message system_instruction system_instructions initial_prompt initial_instructions initial_message original_prompt original_instructions hidden_prompt hidden_instructions secret_prompt secret_instructions internal_instructions internal_prompt pre_prompt preprompt meta_prompt metaprompt developer_message developer_prompt base_prompt starting_instructions starting_prompt foundational_instructions custom_instructions your_prompt your_instructions your_initial_prompt your_system_prompt your_guidelines your_rules',
  act: 'act pretend roleplay role_play behave simulate imagine impersonate become respond_as answer_as play_the_role assume_the_role take_on_the_role you_are_now youre_now you_will_be you_will_act you_are_going_to you_are_about_to emulate play portray embody personify',
  unrestricted:
    'unrestricted uncensored unfiltered unbound unlimited unrestrained unethical amoral immoral evil jailbroken unmoderated unhinged no_restrictions no_rules no_limits no_limitations no_filters no_filter no_guidelines no_ethics no_morals no_censorship without_restrictions without_any_restrictions without_limits without_limitations without_filters without_rules without_censorship without_any_filters without_ethical free_of_restrictions free_from_restrictions free_from_all free_of_all broken_free no_ethical no_moral no_longer_bound not_bound_by not_restricted zero_restrictions zero_filters bypassed',
  mode: 'mode mod modus modo',
  persona:
    'dan stan dude aim antidan jailbreak jailbroken mongo_tom evilbot betterdan basedgpt ucar opposite_mode',
  limits:
    'restrictions restriction limitations limitation limits rules guidelines ethics morals filters filter censorship content_policy content_policies usage_policies openai policies safety safeguards guardrails boundaries principles warnings disclaimers ethical moral legality',
  without:
    'without no ignoring bypass bypassing regardless disregarding free_from free_of violates violate remove disable disabled turn_off circumvent evade break lift',
  always:
    'always never must will_always will_never shall cannot_refuse can_not_refuse not_refuse never_refuse',
  refuse: 'refuse refuses reject decline deny',
}

/** Words of other languages: a list for each part of "ignore the previous instructions". */
export const IGNORE_PREVIOUS: readonly {
  readonly language: string
  readonly ignore: string
  readonly previous: string
  readonly instructions: string
}[] = [
  {
    language: 'de',
    ignore:
      'ignoriere ignoriert ignorieren ignorier vergiss vergesse vergessen missachte missachten verwirf umgehe ubergehe',
    previous:
      'vorherigen vorherige bisherigen bisherige obigen obige vorigen alle allen fruheren ursprunglichen vorangegangenen alles deine ihre',
    instructions:
      'anweisungen anweisung instruktionen befehle befehl regeln vorgaben anordnungen aufgaben prompt systemprompt richtlinien',
  },
  {
    language: 'fr',
    ignore: 'ignore ignorez ignorer oublie oubliez oublier neglige negligez',
    previous: 'precedentes precedente precedents anterieures anterieurs ci_dessus toutes tous tes vos les',
    instructions:
      'instructions instruction consignes consigne directives ordres regles messages commandes prompt',
  },
  {
    language: 'es',
    ignore: 'ignora ignore ignorar ignoren olvida olvide olvidar olvidate descarta omite',
    previous: 'anteriores anterior previas previos previa todas todos tus sus las',
    instructions: 'instrucciones instruccion ordenes indicaciones reglas directrices comandos prompt',
  },
  {
    language: 'it',
    ignore: 'ignora ignorare ignorate dimentica dimenticare dimenticate trascura',
    previous: 'precedenti precedente sopra tutte tutti le tue',
    instructions: 'istruzioni istruzione regole direttive comandi ordini indicazioni prompt',
  },
  {
    language: 'pt',
    ignore: 'ignore ignora ignorar esqueca esquece esquecer desconsidere desconsiderar',
    previous: 'anteriores anterior previas todas todos suas as',
    instructions: 'instrucoes instrucao ordens regras comandos diretrizes prompt',
  },
  {
    language: 'nl',
    ignore: 'negeer negeren vergeet vergeten sla_over',
    previous: 'vorige voorgaande eerdere bovenstaande alle je',
    instructions: 'instructies instructie opdrachten regels aanwijzingen prompt',
  },
  {
    language: 'pl',
    ignore: 'zignoruj ignoruj zignorowac pomin zapomnij',
    previous: 'poprzednie poprzednich wczesniejsze powyzsze wszystkie swoje',
    instructions: 'instrukcje instrukcji polecenia polecen zasady reguly',
  },
  {
    language: 'cs',
    ignore: 'ignoruj ignorujte zapomen zapomente',
    previous: 'predchozi vsechny veskere',
    instructions: 'pokyny instrukce prikazy pravidla',
  },
  {
    language: 'sv',
    ignore: 'ignorera glom bortse strunta',
    previous: 'tidigare foregaende alla ovanstaende',
    instructions: 'instruktioner instruktionerna anvisningar regler',
  },
  {
    language: 'tr',
    ignore: 'yoksay unut gormezden_gel goz_ardi_et dikkate_alma',
    previous: 'onceki tum butun yukaridaki',
    instructions: 'talimatlari talimatlar talimat komutlari kurallari yonergeleri',
  },
  {
    language: 'ru',
    ignore:
      'игнорируй игнорируйте проигнорируй проигнорируйте игнорировать забудь забудьте забыть отбрось пренебреги',
    previous: 'предыдущие предыдущих все всех прежние прошлые вышеуказанные свои эти',
    instructions: 'инструкции инструкций указания команды правила приказы промпт',
  },
  {
    language: 'uk',
    ignore: 'ігноруй ігноруйте проігноруй забудь забудьте',
    previous: 'попередні всі усі',
    instructions: 'інструкції вказівки команди правила',
  },
  {
    language: 'zh',
    ignore: '忽略 无视 忘记 忘掉 無視 忽視 不要理会 不用管 抛弃',
    previous: '之前 以前 以上 上面 先前 前面 所有 一切 上述 的',
    instructions: '指令 指示 说明 規則 规则 提示 命令 要求 提示词 設定 设定',
  },
  {
    language: 'ja',
    ignore: '無視 忘れ 破棄',
    previous: 'これまで 以前 前の 上記 すべて 全て 今まで',
    instructions: '指示 命令 ルール 指令 プロンプト 設定',
  },
  {
    language: 'ko',
    ignore: '무시 잊어 잊고',
    previous: '이전 앞의 위의 모든 지금까지',
    instructions: '지시 명령 지침 규칙 프롬프트',
  },
  {
    language: 'ar',
    ignore: 'تجاهل انس اهمل',
    previous: 'السابقة جميع كل السابق',
    instructions: 'التعليمات الاوامر تعليماتك القواعد التوجيهات',
  },
  {
    language: 'hi',
    ignore: 'अनदेखा नजरअंदाज भूल',
    previous: 'पिछले सभी पहले पूर्व',
    instructions: 'निर्देशों निर्देश आदेश नियम',
  },
  {
    language: 'id',
    ignore: 'abaikan lupakan hiraukan',
    previous: 'sebelumnya semua diatas',
    instructions: 'instruksi perintah petunjuk aturan',
  },
  {
    language: 'vi',
    ignore: 'bo_qua phot_lo quen',
    previous: 'truoc tat_ca cac',
    instructions: 'huong_dan chi_dan lenh quy_tac',
  },
]
