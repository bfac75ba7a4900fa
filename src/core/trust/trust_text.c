/* SPDX-License-Identifier: Apache-2.0 */
/* The promises as the service's own white paper states them, in the order of
 * ISO/IEC 27017:2015 (JIP-ISMS517-1.0). */
#include "core/trust/trust.h"

const struct trust_promise trust_promises[TRUST_COUNT] = {
    {1, "5.1.1", "情報セキュリティのための方針", "Policies",
     "基本方針、個別方針、クラウドサービス方針を版を付けて公開しています。",
     "The basic, individual and cloud-service policies are published with "
     "their versions."},
    {2, "6.1.1", "役割及び責任", "Roles and responsibilities",
     "利用開始時と重要な改定時に、お客様の管理者に利用規約への同意を求め、"
     "誰がいつどの版に同意したかを残します。",
     "A customer's administrator agrees to the terms of use when service "
     "starts and after material changes; who, when and which version is kept."},
    {3, "6.1.3", "関係当局との連絡・データの所在", "Location of data",
     "データを保管する国・地域を示し、契約の期間とともに管理者に見せます。",
     "The country or region where data is kept is stated and shown to "
     "administrators with the contract."},
    {4, "CLD.6.3.1", "責任の分担", "Shared responsibility",
     "運用者はアプリケーションと保管データの保護を、お客様は登録する業務データ"
     "とID・パスワードの管理を受け持ちます。",
     "The operator protects the application and stored data; the customer "
     "answers for its business data, ids and passwords."},
    {5, "CLD.8.1.5", "資産の除去", "Removal of assets",
     "契約が終わるとお客様が全データを書き出せ、1か月以内にすべてを物理的に"
     "削除し、以後は復元できません。",
     "At contract end the customer exports everything; all assets are "
     "physically deleted within a month and cannot be restored."},
    {6, "8.2.2", "情報のラベル付け", "Labels",
     "プロジェクト、フェーズ、チームと自由なラベルで情報を分類できます。",
     "Information is classified by labels for projects, phases, teams and of "
     "one's own."},
    {7, "9.2.1", "利用者の登録・削除", "Registration of users",
     "お客様の管理者が利用者を自分で追加・変更・削除でき、最後の管理者は削除"
     "できません。",
     "Administrators add, change and delete their users themselves; the last "
     "administrator cannot be removed."},
    {8, "9.2.2", "利用者アクセスの提供", "Provisioning of access",
     "権限のない人には、プロジェクトがあることも分かりません。",
     "Without a grant nobody can learn that a project exists."},
    {9, "9.2.3", "特権的アクセス権", "Privileged access",
     "すべての人にパスワードとメールの確認コードを求め、接続元を制限できます。",
     "Everybody gives a password and a mailed code; source addresses can be "
     "restricted."},
    {10, "9.2.4", "秘密認証情報の管理", "Secret authentication information",
     "初期設定は8～16文字、4種類中3種類以上、3か月で期限切れ。招待の URL は"
     "24時間・1回限りです。",
     "By default 8 to 16 characters, 3 of 4 kinds, for 3 months; invitation "
     "links work once within 24 hours."},
    {11, "9.4.1", "情報へのアクセス制限", "Restriction of access",
     "管理者はロール、権限グループ、接続元で機能とデータを制限できます。",
     "Administrators restrict functions and data by roles, permission groups "
     "and source addresses."},
    {12, "9.4.4", "特権的なユーティリティ", "Privileged utilities",
     "サインインの前に使えるのは、サインインの手順と公開のページだけです。"
     "確認コードなしで開いたセッションも、同意のないサポートもありません。",
     "Before signing in only its steps and public pages are open; no session "
     "is "
     "open without its code, no support without consent."},
    {13, "CLD.9.5.1", "仮想環境における分離", "Separation of tenants",
     "テナントごとに別のデータベースファイルを使い、1つの文が2つのテナントに"
     "またがることはできません。",
     "Each tenant has database files of its own; no statement can reach two "
     "tenants."},
    {14, "CLD.9.5.2", "仮想マシンの要塞化", "Hardening",
     "サーバーは不要な権限を捨て、自分自身を囲いに入れて動きます。",
     "The server drops what it does not need and confines itself."},
    {15, "10.1.1", "暗号による管理策", "Cryptography",
     "通信は TLS 1.2 以上、保管データとバックアップはテナントごとの鍵で暗号化"
     "します。",
     "Connections use TLS 1.2 or later; stored data and backups are encrypted "
     "under each tenant's own key."},
    {16, "11.2.7", "装置の処分・再利用", "Disposal",
     "削除では鍵を破棄し、ファイルを上書きして除去し、証明書を発行します。"
     "バックアップは8日目、ログは3か月で消えます。",
     "Deletion destroys the key, overwrites and unlinks the files and is "
     "certified; backups go on day 8, logs after 3 months."},
    {17, "12.1.2", "変更管理", "Change management",
     "影響のある作業は、あらかじめお知らせとメールで伝えます。",
     "Work that may affect customers is announced beforehand, in the product "
     "and by mail."},
    {18, "12.1.3", "容量・能力の管理", "Capacity",
     "CPU、メモリー、ディスクなどを測り、尽きる前に運用者へ警告します。",
     "CPU, memory, disk and more are measured; the operator is warned before "
     "they run out."},
    {19, "CLD.12.1.5", "実務管理者の運用", "Administrator's operations",
     "操作マニュアルと問い合わせ窓口を製品の中に備えています。",
     "The manual and the support desk are inside the product."},
    {20, "12.3.1", "情報のバックアップ", "Backup",
     "全テナントを毎日バックアップし、7世代（7日分）を保管し、書いた後に検査"
     "します。テナントの正常な最新の写しは、次の正常な写しができるまで8日目を"
     "過ぎても残し、運用者に毎日知らせます（契約の終了後は例外なく8日目に"
     "消えます）。",
     "All tenants are backed up daily, 7 generations (of 7 days) are kept and "
     "each is checked after writing. A tenant's newest good copy stays beyond "
     "day 8 until a newer good one is there, and the operator is told daily; "
     "after a contract's end day 8 holds without exception."},
    {21, "12.4.1", "イベントログ取得", "Event logging",
     "誰がいつ何を追加・変更・削除したかを、前後の値とともに記録します。",
     "Who added, changed or deleted what and when is recorded with the values "
     "before and after."},
    {22, "12.4.4", "クロックの同期", "Clock synchronisation",
     "サーバーは日本標準時を保ち、同期のずれを監視します。",
     "The server keeps Japan Standard Time and watches its synchronisation."},
    {23, "CLD.12.4.5", "クラウドサービスの監視", "Monitoring",
     "お客様は自分の操作ログを検索・絞り込みし、選んだ出来事をメールで受け取れ"
     "ます。",
     "Customers search and filter their own operation log and are mailed "
     "about events they choose."},
    {24, "12.6.1", "技術的ぜい弱性の管理", "Vulnerabilities",
     "構成部品の一覧を持ち、ぜい弱性の影響を判断してお知らせします。",
     "Components are inventoried, advisories judged and customers told."},
    {25, "13.1.3", "ネットワークの分離", "Separation in networks",
     "テナントを専用のホスト名や待ち受けに分けられ、Cookie は混ざりません。",
     "Tenants can have host names or listeners of their own; cookies never "
     "cross."},
    {26, "CLD.13.1.4", "仮想ネットワーク", "Virtual networks",
     "土台となるプラットフォームについて運用者が説明します。",
     "The operator states what lies beneath the platform."},
    {27, "14.1.1", "セキュリティ要求事項", "Requirements",
     "この一覧とマニュアルを製品の中で読めます。",
     "This list and the manual are in the product."},
    {28, "14.2.1", "セキュリティに配慮した開発", "Secure development",
     "版、部品の版、合格した検査をバイナリーに記録しています。",
     "The version, its libraries and the checks passed are recorded in the "
     "binary."},
    {29, "15.1.2", "供給者との合意", "Supplier agreements",
     "サポート担当はお客様のデータを開けません。お客様が期限を付けて認めたとき"
     "だけ入れ、操作はすべて操作ログに残ります。",
     "Support staff cannot open a tenant's data unless the customer allows it "
     "for a time; everything done is in the customer's log."},
    {30, "15.1.3", "ICT サプライチェーン", "Supply chain",
     "部品の出どころとチェックサム、委託先の見直しを記録しています。",
     "Sources and checksums of components and reviews of suppliers are "
     "recorded."},
    {31, "16.1.1", "インシデント管理の責任", "Incident management",
     "インシデントは検知から24時間以内に第一報をお知らせします。",
     "The first report of an incident goes out within 24 hours of detection."},
    {32, "16.1.2", "情報セキュリティ事象の報告", "Reporting of events",
     "お客様は製品内の窓口から事象を報告でき、回答まで残ります。",
     "Customers report events through the desk; the answers are kept."},
    {33, "16.1.7", "証拠の収集", "Collection of evidence",
     "お客様は自分のログを、改ざんがないことの証明とともに書き出せます。",
     "Customers export their logs with a proof that nothing was altered."},
    {34, "18.1.1", "適用法令", "Applicable law",
     "準拠法とプライバシーの扱いを示しています。",
     "Governing law and privacy are stated."},
    {35, "18.1.2", "知的財産権", "Intellectual property",
     "権利侵害の申し立て先を示しています。",
     "It is stated where complaints go."},
    {36, "18.1.3", "記録の保護", "Protection of records",
     "アクセスログを3か月間、変更できない形で保管し、少なくとも直近30日分を"
     "提供します。",
     "Access logs are kept unalterable for 3 months; at least the last 30 "
     "days are offered."},
    {37, "18.1.5", "暗号化機能に対する規制", "Regulation of cryptography",
     "組み込まれている暗号方式を一覧で示します。",
     "The algorithms compiled in are listed."},
    {38, "18.2.1", "情報セキュリティの独立したレビュー", "Independent review",
     "監査報告書を保管し、求めに応じてお客様に開示します。",
     "Audit reports are kept and released to customers who ask."},
};
